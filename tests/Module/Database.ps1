# A MongoDB for tests of cmdlets: a Sandbox in this very process, and ways to fill and read it through the product's own client. Dot-sourced after Site.ps1.

# The module loads what it needs when it needs it; a test names types before that.
Add-Type -LiteralPath (Join-Path $env:BOTBACKUP_MODULE 'BotCore.Backup.Protocols.dll')
Add-Type -LiteralPath (Join-Path $env:BOTBACKUP_MODULE 'sandbox/BotCore.Backup.Sandbox.dll')

# Starts a Sandbox; -Option sets properties of SandboxOptions. Dispose it in AfterEach: Remove-Database.
function New-Database {
    param([hashtable] $Option = @{})

    $options = [BotCore.Backup.Sandbox.SandboxOptions] $Option
    $server = [BotCore.Backup.Sandbox.SandboxServer]::new($options)
    [pscustomobject]@{
        Server = $server
        Client = [BotCore.Backup.Protocols.MongoDb.MongoClient]::Connect(
            [BotCore.Backup.Protocols.MongoDb.MongoConnectionString]::Parse($server.ConnectionString), [BotCore.Backup.Protocols.MongoDb.MongoClientOptions]::new(), [Threading.CancellationToken]::None)
    }
}

function Remove-Database($Database) {
    if ($Database) {
        $Database.Client.Dispose()
        $Database.Server.Dispose()
    }
}

# The server's URI with a database in it; a secret where the Sandbox has a user.
function Get-DatabaseUri($Database, [string] $Name) {
    $uri = $Database.Server.ConnectionString.Replace('/?', "/$Name`?")
    if (-not $uri.Contains("/$Name")) { $uri += $Name }
    if ($uri.Contains('@')) { $uri += ($uri.Contains('?') ? '&' : '?') + 'authSource=admin' }
    $uri
}

# Runs a command: its name and value, then further arguments, documents as Extended JSON and arrays of them. Gives the answer as an object.
function Invoke-Database($Database, [string] $Name, [string] $Command, $Value = 1, [Collections.IDictionary] $Argument = @{}) {
    $builder = [BotCore.Backup.Protocols.MongoDb.Bson.BsonBuilder]::new()
    $null = $builder.Append($Command, $Value)
    foreach ($key in $Argument.Keys) {
        $one = $Argument[$key]
        if ($one -is [array]) {
            $null = $builder.BeginArray($key)
            for ($i = 0; $i -lt $one.Count; $i++) { $null = $builder.Append("$i", [BotCore.Backup.Protocols.MongoDb.Bson.ExtendedJson]::Read([string] $one[$i])) }
            $null = $builder.End()
        }
        elseif ($one -is [string]) { $null = $builder.Append($key, [BotCore.Backup.Protocols.MongoDb.Bson.ExtendedJson]::Read($one)) }
        else { $null = $builder.Append($key, $one) }
    }
    $answer = [BotCore.Backup.Protocols.MongoDb.Bson.ExtendedJson]::ToText($Database.Client.Run($Name, $builder, [Threading.CancellationToken]::None))
    $result = ConvertFrom-Json $answer -AsHashtable
    if ($result['writeErrors']) { throw "A document was refused: $answer" }
    $result
}

function Add-Document($Database, [string] $Name, [string] $Collection, [string[]] $Document) {
    $null = Invoke-Database $Database $Name insert $Collection @{ documents = @($Document) }
}

# All documents of a collection as JSON, one a line, in an order that is always the same. Two collections are alike where the texts are.
function Get-Document($Database, [string] $Name, [string] $Collection) {
    $answer = Invoke-Database $Database $Name find $Collection @{ batchSize = 100000 }
    (@($answer.cursor.firstBatch | ForEach-Object { ConvertTo-Json $_ -Depth 30 -Compress }) | Sort-Object -CaseSensitive) -join "`n"
}

# Names of collections and views of a database, without the server's own and ours.
function Get-CollectionName($Database, [string] $Name) {
    $answer = Invoke-Database $Database $Name listCollections
    @($answer.cursor.firstBatch | ForEach-Object name | Where-Object { $_ -notmatch '^(system\.|__bot_)' } | Sort-Object -CaseSensitive)
}

# All that a database holds, as text: collections with their documents and index names.
function Get-DatabasePrint($Database, [string] $Name) {
    $lines = foreach ($collection in Get-CollectionName $Database $Name) {
        $kind = (Invoke-Database $Database $Name listCollections).cursor.firstBatch | Where-Object name -EQ $collection | ForEach-Object type
        $indexes = if ($kind -eq 'collection') { ((Invoke-Database $Database $Name listIndexes $collection).cursor.firstBatch | ForEach-Object name | Sort-Object) -join ',' }
        "$collection $kind $indexes"
        Get-Document $Database $Name $collection
    }
    $lines -join "`n"
}

# A small trading platform: two collections with an index, an empty one, a view, and an odd name.
function Initialize-Platform($Database, [string] $Name = 'bot_core') {
    Add-Document $Database $Name trades (1..300 | ForEach-Object { "{ `"_id`": { `"`$numberInt`": `"$_`" }, `"symbol`": `"BTC$_`", `"price`": { `"`$numberDouble`": `"$_.5`" } }" })
    Add-Document $Database $Name accounts '{ "_id": "a", "cents": { "$numberLong": "100" } }', '{ "_id": "b", "cents": { "$numberLong": "50" }, "when": { "$date": { "$numberLong": "1700000000000" } } }'
    Add-Document $Database $Name 'odd näme/100%' '{ "_id": { "$oid": "6560a1b2c3d4e5f601234567" } }'
    # What the platform cannot do without.
    foreach ($collection in 'users', 'portfolios', 'strategies') { Add-Document $Database $Name $collection "{ `"_id`": `"$collection`" }" }
    $null = Invoke-Database $Database $Name create empty
    $view = [BotCore.Backup.Protocols.MongoDb.Bson.BsonBuilder]::new().Append('create', 'rich').Append('viewOn', 'accounts').BeginArray('pipeline').Append('0', [BotCore.Backup.Protocols.MongoDb.Bson.ExtendedJson]::Read('{ "$match": { "cents": { "$gt": { "$numberLong": "60" } } } }')).End()
    $null = $Database.Client.Run($Name, $view, [Threading.CancellationToken]::None)
    $null = Invoke-Database $Database $Name createIndexes trades @{ indexes = @('{ "key": { "symbol": { "$numberInt": "1" } }, "name": "by_symbol", "unique": true }') }
}

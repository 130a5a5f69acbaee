namespace BotCore.Backup.Sandbox.Values;

/// <summary>An error that the client is told of: code and name as the real server has them (error_codes.yml).</summary>
internal sealed class ServerException(int code, string message) : Exception(message)
{
    public const int BadValue = 2;
    public const int FailedToParse = 9;
    public const int Unauthorized = 13;
    public const int TypeMismatch = 14;
    public const int AuthenticationFailed = 18;
    public const int IllegalOperation = 20;
    public const int NamespaceNotFound = 26;
    public const int IndexNotFound = 27;
    public const int CannotCreateIndex = 67;
    public const int InvalidOptions = 72;
    public const int InvalidNamespace = 73;
    public const int IndexOptionsConflict = 85;
    public const int IndexKeySpecsConflict = 86;
    public const int CommandNotFound = 59;
    public const int WriteConflict = 112;
    public const int DocumentValidationFailure = 121;
    public const int CommandNotSupportedOnView = 166;
    public const int NamespaceExists = 48;
    public const int CursorNotFound = 43;
    public const int NotImplemented = 238;
    public const int NoSuchTransaction = 251;
    public const int OutOfDiskSpace = 14031;
    public const int DuplicateKey = 11000;
    public const int ObjectTooLarge = 10334;

    public int Code { get; } = code;

    public string CodeName => NameOf(Code);

    public static string NameOf(int code) => code switch
    {
        BadValue => nameof(BadValue),
        6 => "HostUnreachable",
        8 => "UnknownError",
        FailedToParse => nameof(FailedToParse),
        11 => "UserNotFound",
        Unauthorized => nameof(Unauthorized),
        TypeMismatch => nameof(TypeMismatch),
        AuthenticationFailed => nameof(AuthenticationFailed),
        IllegalOperation => nameof(IllegalOperation),
        NamespaceNotFound => nameof(NamespaceNotFound),
        IndexNotFound => nameof(IndexNotFound),
        31 => "RoleNotFound",
        CursorNotFound => nameof(CursorNotFound),
        NamespaceExists => nameof(NamespaceExists),
        CommandNotFound => nameof(CommandNotFound),
        66 => "ImmutableField",
        CannotCreateIndex => nameof(CannotCreateIndex),
        InvalidOptions => nameof(InvalidOptions),
        InvalidNamespace => nameof(InvalidNamespace),
        IndexOptionsConflict => nameof(IndexOptionsConflict),
        IndexKeySpecsConflict => nameof(IndexKeySpecsConflict),
        91 => "ShutdownInProgress",
        WriteConflict => nameof(WriteConflict),
        DocumentValidationFailure => nameof(DocumentValidationFailure),
        136 => "CappedPositionLost",
        CommandNotSupportedOnView => nameof(CommandNotSupportedOnView),
        175 => "QueryPlanKilled",
        189 => "PrimarySteppedDown",
        225 => "TransactionTooOld",
        NotImplemented => nameof(NotImplemented),
        NoSuchTransaction => nameof(NoSuchTransaction),
        256 => "TransactionCommitted",
        292 => "QueryExceededMemoryLimitNoDiskUseAllowed",
        ObjectTooLarge => "BSONObjectTooLarge",
        10107 => "NotWritablePrimary",
        DuplicateKey => nameof(DuplicateKey),
        11600 => "InterruptedAtShutdown",
        OutOfDiskSpace => nameof(OutOfDiskSpace),
        51003 => "Location51003",
        _ => "Location" + code.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}

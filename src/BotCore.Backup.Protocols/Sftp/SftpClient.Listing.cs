namespace BotCore.Backup.Protocols.Sftp;

/// <content>Listing of folders, many at once.</content>
public sealed partial class SftpClient
{
    private const int ReadsAhead = 8;
    private const int FoldersAtOnce = 32;

    /// <summary>
    /// The entries of folders, without <c>.</c> and <c>..</c>, in no order. All are asked for together, so that the way to the server counts a few times and not a few times a folder.
    /// A folder that is not there, or no folder, is given without entries.
    /// </summary>
    public IEnumerable<(string Folder, IReadOnlyList<SftpEntry> Entries)> List(IEnumerable<string> folders, CancellationToken token)
    {
        var atOnce = MostHandles > 0 ? Math.Clamp(MostHandles / 4, 1, FoldersAtOnce) : FoldersAtOnce;
        foreach (var some in folders.Chunk(atOnce))
        {
            var scans = some.Select(folder => new FolderScan(this, folder)).ToArray();
            try
            {
                foreach (var scan in scans)
                    scan.Open(token);
                for (var open = true; open;)
                {
                    open = false;
                    foreach (var scan in scans)
                        open |= scan.Step(token);
                }
            }
            finally
            {
                foreach (var scan in scans)
                    scan.Close();
            }

            foreach (var scan in scans)
                yield return (scan.Folder, scan.Entries);
        }
    }

    private sealed class FolderScan
    {
        private readonly SftpClient _client;
        private readonly SftpPending _opening;
        private readonly Queue<SftpPending> _reading = new();
        private readonly List<SftpEntry> _entries = [];
        private SftpHandle? _handle;
        private int _ahead = 2;
        private bool _isAtEnd;

        public FolderScan(SftpClient client, string folder)
        {
            (_client, Folder) = (client, folder);
            _opening = client.Send(Packet(SftpPacketType.OpenDir, folder));
        }

        public string Folder { get; }

        public IReadOnlyList<SftpEntry> Entries => _entries;

        public void Open(CancellationToken token)
        {
            try
            {
                _handle = Handle(_opening, Folder, token);
            }
            catch (SftpException missing) when (missing.Error == SftpError.NoSuchFile)
            {
                _isAtEnd = true;
                return;
            }

            Ask();
        }

        // Takes the answers to all that was asked, and asks for more. A long folder is asked more at once with every round.
        public bool Step(CancellationToken token)
        {
            for (var answers = _reading.Count; answers > 0; answers--)
                Take(_reading.Dequeue().Wait(token));
            if (_isAtEnd && _reading.Count == 0)
                return false;
            _ahead = Math.Min(_ahead * 2, ReadsAhead);
            Ask();
            return true;
        }

        public void Close()
        {
            if (_handle is not null)
                _client.Forget(_handle);
        }

        private void Ask()
        {
            while (!_isAtEnd && _reading.Count < _ahead)
                _reading.Enqueue(_client.Send(new PacketWriter(SftpPacketType.ReadDir, 64).Bytes(_handle!.Value)));
        }

        private void Take(SftpReply reply)
        {
            if (reply.Type == SftpPacketType.Status)
            {
                Status(reply, Folder, SftpStatus.EndOfFile);
                _isAtEnd = true;
                return;
            }

            var fields = Expect(reply, SftpPacketType.Name).Read();
            for (var left = fields.UInt32(); left > 0; left--)
            {
                var name = fields.Text();
                // The long form is for people.
                fields.Bytes();
                var attributes = SftpAttributes.Read(ref fields);
                if (name is not ("." or ".."))
                    _entries.Add(new SftpEntry(name, attributes));
            }

            reply.Return();
        }
    }
}

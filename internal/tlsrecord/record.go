package tlsrecord

// Sizes of records, in bytes (§5.1, §5.2).
const (
	HeaderSize   = 5
	MaxPlaintext = 1 << 14
	MaxRecord    = HeaderSize + MaxPlaintext + 256

	// Overhead is how much longer a record is than the data in it: its header,
	// the type within, and the tag.
	Overhead = HeaderSize + 1 + tagSize

	tagSize = 16
)

// contentType is the kind of a record (§5.1).
type contentType byte

const (
	changeCipherSpec contentType = 20
	alertRecord      contentType = 21
	handshakeRecord  contentType = 22
	applicationData  contentType = 23
)

// payloadSize is what a header says of the bytes behind it.
func payloadSize(header []byte) int { return int(header[3])<<8 | int(header[4]) }

// appendHeader appends the header of a sealed record, whose length follows.
func appendHeader(dst []byte) []byte { return append(dst, byte(applicationData), 3, 3, 0, 0) }

// whole is the length of the first record in b; 0 while it is incomplete. Only
// what a server may receive after the handshake is a record here.
func whole(b []byte) (int, error) {
	if len(b) > 0 && contentType(b[0]) != applicationData {
		return 0, unexpectedMessage // also change_cipher_spec: nobody needs it now (§5)
	}
	if len(b) < HeaderSize {
		return 0, nil
	}
	n := HeaderSize + payloadSize(b)
	switch {
	case n > MaxRecord:
		return 0, recordOverflow
	case len(b) < n:
		return 0, nil
	}
	return n, nil
}

package tlsrecord

// position finds the number of the next record that the server seals with its
// application secret: crypto/tls sends session tickets with it at the end of the
// handshake. It is not inferred but proved: every sealed record in sent opens
// with the handshake secret and the number that was next under it, or, after
// those, with the application secret and the number that was next under that.
// Where one does not, crypto/tls does what this package does not know, and ok
// is false. To be wrong here would be to use a number twice, which tells what is
// in both records.
func position(suite Suite, handshake, application []byte, sent []byte) (next uint64, ok bool) {
	before, after := newTrial(suite, handshake), newTrial(suite, application)
	defer func() { *before, *after = trial{}, trial{} }() // wiped
	for len(sent) > 0 {
		if len(sent) < HeaderSize || len(sent) < HeaderSize+payloadSize(sent) {
			return 0, false
		}
		record := sent[:HeaderSize+payloadSize(sent)]
		sent = sent[len(record):]
		switch contentType(record[0]) {
		case handshakeRecord, changeCipherSpec: // not sealed: the hellos, and for middleboxes (§D.4)
		case applicationData:
			if after.seq == 0 && before.opens(record) || after.opens(record) {
				continue
			}
			return 0, false
		default:
			return 0, false
		}
	}
	return after.seq, before.seq > 0
}

// trial opens records of the server itself.
type trial struct {
	direction
	half
	plain []byte
}

func newTrial(suite Suite, secret []byte) *trial {
	t := new(trial)
	copy(t.secret[:], secret)
	suite.derive(&t.direction)
	t.half.ready(suite, &t.direction)
	return t
}

// opens reports whether a record is the next one, and leaves it as it is.
func (t *trial) opens(record []byte) bool {
	seq := t.seq
	if !t.count(&t.direction) {
		return false
	}
	plain, err := t.aead.Open(t.plain[:0], t.nonce[:], record[HeaderSize:], record[:HeaderSize])
	if err != nil {
		t.seq = seq
		return false
	}
	t.plain = plain
	return true
}

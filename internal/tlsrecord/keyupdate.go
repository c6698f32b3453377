package tlsrecord

// A client may change its keys as often as it likes (RFC 8446 §4.6.3); each time
// costs us a few hashes and, when it asks for it, a record. So it gets a credit:
// a burst of 16, and from then on one for every 32 records of data.
const (
	updateCost = 32
	maxCredit  = 16 * updateCost
)

// keyUpdateMessage is the type of the only handshake message that a client may
// send after the handshake: we never ask for its certificate then (§4.6.2).
const keyUpdateMessage = 24

// keyUpdate is the message but for its last byte, which is the request.
var keyUpdate = [4]byte{keyUpdateMessage, 0, 0, 1}

// hear takes a handshake message, or a part of one (§5.1).
func (c *Cipher) hear(s *State, b []byte) error {
	if len(b) == 0 {
		return unexpectedMessage
	}
	for i, octet := range b {
		if s.begun < 4 {
			if err := s.hearHeader(octet); err != nil {
				return err
			}
			continue
		}
		if i != len(b)-1 { // the next byte would be under other keys (§5.1)
			return unexpectedMessage
		}
		return c.updated(s, octet)
	}
	return nil
}

// hearHeader takes one of the first four bytes.
func (s *State) hearHeader(octet byte) error {
	switch {
	case octet == keyUpdate[s.begun]:
		s.begun++
		return nil
	case s.begun == 0:
		return unexpectedMessage
	}
	return decodeError
}

// updated follows the client to its next key.
func (c *Cipher) updated(s *State, request byte) error {
	s.begun = 0
	switch {
	case request > 1:
		return illegalParameter
	case s.credit < updateCost:
		return unexpectedMessage
	}
	s.credit -= updateCost
	s.owed = s.owed || request == 1 // one answer is enough for several (§4.6.3)
	s.suite.succeed(&s.in)
	return nil
}

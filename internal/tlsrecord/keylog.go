package tlsrecord

import (
	"bytes"
	"encoding/hex"
	"io"
)

// keyLog is the KeyLogWriter of one connection. It keeps the secrets of TLS 1.3
// until the connection is handed over, and writes them nowhere else, unless the
// user's configuration has a KeyLogWriter itself.
type keyLog struct {
	users          io.Writer // nil without
	handshake      secret    // SERVER_HANDSHAKE_TRAFFIC_SECRET
	client, server secret    // the application traffic secrets
	odd            bool      // told twice, or too much
}

// secret is a traffic secret; n is 0 while it is unknown.
type secret struct {
	b [maxSecret]byte
	n int
}

func (s *secret) bytes() []byte { return s.b[:s.n] }

// Write takes one line, "label random secret" (the NSS key log format, which
// tls.Config.KeyLogWriter promises). The line is crypto/tls's; what becomes of it
// is the garbage collector's.
func (k *keyLog) Write(line []byte) (int, error) {
	if fields := bytes.Fields(line); len(fields) == 3 {
		k.keep(string(fields[0]), fields[2])
	}
	if k.users != nil {
		return k.users.Write(line)
	}
	return len(line), nil
}

func (k *keyLog) keep(label string, text []byte) {
	switch label {
	case "SERVER_HANDSHAKE_TRAFFIC_SECRET":
		k.fill(&k.handshake, text)
	case "CLIENT_TRAFFIC_SECRET_0":
		k.fill(&k.client, text)
	case "SERVER_TRAFFIC_SECRET_0":
		k.fill(&k.server, text)
	}
}

func (k *keyLog) fill(s *secret, text []byte) {
	if s.n != 0 || hex.DecodedLen(len(text)) > maxSecret {
		k.odd = true
		return
	}
	s.n, _ = hex.Decode(s.b[:], text) // what is not hexadecimal is too short then
}

// wipe forgets the secrets.
func (k *keyLog) wipe() { *k = keyLog{} }

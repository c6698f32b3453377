package tlsrecord

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The secrets and the record are those of RFC 8448 §3.
func TestARecordOfRFC8448Opens(t *testing.T) {
	client := unhex(t, "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5")
	server := unhex(t, "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643")
	if key := AES128.expand(server, "key", 16); hex.EncodeToString(key) != "9f02283b6c9c07efc26bb9f2ac92e356" {
		t.Errorf("key %x", key)
	}
	if iv := AES128.expand(server, "iv", 12); hex.EncodeToString(iv) != "cf782b88dd83549aadf1e984" {
		t.Errorf("nonce %x", iv)
	}
	s, err := New(AES128, client, server, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var c Cipher
	data, n, err := c.Open(&s, unhex(t, "17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea 42 f9 14 aa 66 bc ab 3f"+
		"2b 98 19 a8 a5 b4 6b 39 5b d5 4a 9a 20 44 1e 2b 62 97 4e 1f 5a 62 92 a2 97 70 14 bd 1e 3d ea e6 3a ee bb 21 69 49 15 e4"))
	if err != nil || n != 72 || len(data) != 50 || data[49] != 49 {
		t.Errorf("%x, %d bytes, %v", data, n, err)
	}
}

func TestWhatIsSealedOpensInAnyPieces(t *testing.T) {
	onEachSuite(t, func(t *testing.T, suite Suite) {
		r := rand.New(rand.NewPCG(1, uint64(suite)))
		server, client := pair(t, suite)
		for range 200 {
			sent := make([]byte, r.IntN(1<<r.IntN(18)))
			for i := range sent {
				sent[i] = byte(r.Uint32())
			}
			sealed := server.seal(chop(r, sent, 1+r.IntN(40_000))...)
			if len(sealed) > SealedSize(len(sent)) {
				t.Fatalf("%d bytes became %d, more than SealedSize", len(sent), len(sealed))
			}
			if records := (len(sent) + MaxPlaintext - 1) / MaxPlaintext; len(sealed) != len(sent)+records*Overhead {
				t.Fatalf("%d bytes became %d: more records than hold them", len(sent), len(sealed))
			}
			var got, waiting []byte
			for _, piece := range chop(r, sealed, 1+r.IntN(30_000)) {
				waiting = append(waiting, piece...)
				data, left, err := client.openAll(waiting)
				if err != nil {
					t.Fatal(err)
				}
				got, waiting = append(got, data...), waiting[len(waiting)-left:]
			}
			if !bytes.Equal(got, sent) || len(waiting) > 0 {
				t.Fatalf("%d bytes came as %d, %d are left", len(sent), len(got), len(waiting))
			}
		}
	})
}

func TestACipherServesAnyState(t *testing.T) {
	var shared Cipher
	for _, suite := range append(suites, suites...) {
		server, client := pair(t, suite)
		for range 2 {
			sealed := shared.Seal(&server.State, nil, []byte("hello"))
			if data, _, err := client.openAll(sealed); err != nil || string(data) != "hello" {
				t.Fatalf("%q, %v", data, err)
			}
			if data, _, err := shared.Open(&server.State, client.seal([]byte("again"))); err != nil || string(data) != "again" {
				t.Fatalf("%q, %v", data, err)
			}
		}
	}
}

func TestPaddingIsTakenOff(t *testing.T) {
	server, client := pair(t, AES128)
	for _, padding := range []int{0, 1, 255, MaxPlaintext - 2} {
		data, _, err := server.openAll(client.record(applicationData, []byte("ab"), padding))
		if err != nil || string(data) != "ab" {
			t.Errorf("%d bytes of padding: %q, %v", padding, data, err)
		}
	}
}

func join(records ...[]byte) []byte { return bytes.Join(records, nil) }

func times(n int, f func() []byte) []byte {
	var all []byte
	for range n {
		all = append(all, f()...)
	}
	return all
}

// misdeeds are what a client must not send, and the error that it is met with.
var misdeeds = []struct {
	name  string
	bytes func(c *side) []byte
	want  error
}{
	{"close_notify is an end", func(c *side) []byte { return c.cipher.SealAlert(&c.State, nil, CloseNotify) }, io.EOF},
	{"a fatal alert", func(c *side) []byte { return c.record(alertRecord, []byte{2, 40}, 0) }, PeerError(40)},
	{"a fatal alert that says it is a warning", func(c *side) []byte { return c.record(alertRecord, []byte{1, 40}, 0) }, PeerError(40)},
	{"half an alert", func(c *side) []byte { return c.record(alertRecord, []byte{2}, 0) }, decodeError},
	{"two alerts in one record", func(c *side) []byte { return c.record(alertRecord, []byte{1, 90, 1, 0}, 0) }, decodeError},
	{"an empty alert", func(c *side) []byte { return c.record(alertRecord, nil, 0) }, unexpectedMessage},
	{"a plain alert", func(*side) []byte { return []byte{21, 3, 3, 0, 2, 2, 40} }, unexpectedMessage},
	{"change_cipher_spec", func(*side) []byte { return []byte{20, 3, 3, 0, 1, 1} }, unexpectedMessage},
	{"the first byte of change_cipher_spec", func(*side) []byte { return []byte{20} }, unexpectedMessage},
	{"a sealed change_cipher_spec", func(c *side) []byte { return c.record(changeCipherSpec, []byte{1}, 0) }, unexpectedMessage},
	{"an unknown type", func(c *side) []byte { return c.record(24, []byte{1}, 0) }, unexpectedMessage},
	{"nothing but padding", func(c *side) []byte { return c.record(0, nil, 7) }, unexpectedMessage},
	{"a header of a record that is too long", func(*side) []byte { return []byte{23, 3, 3, 0x41, 1} }, recordOverflow},
	{"a byte too much", func(c *side) []byte { return c.record(applicationData, make([]byte, MaxPlaintext+1), 0) }, recordOverflow},
	{"a byte of padding too much", func(c *side) []byte { return c.record(applicationData, []byte("ab"), MaxPlaintext-1) }, recordOverflow},
	{"a record of nothing", func(*side) []byte { return []byte{23, 3, 3, 0, 0} }, badRecordMAC},
	{"a record shorter than its tag", func(*side) []byte { return append([]byte{23, 3, 3, 0, 15}, make([]byte, 15)...) }, badRecordMAC},
	{"a forged record", func(c *side) []byte { b := c.seal([]byte("x")); b[5] ^= 1; return b }, badRecordMAC},
	{"a forged header", func(c *side) []byte { b := c.seal([]byte("x")); b[2] = 4; return b }, badRecordMAC},
	{"a record twice", func(c *side) []byte { b := c.seal([]byte("x")); return join(b, b) }, badRecordMAC},
	{"a record is missing", func(c *side) []byte { c.seal([]byte("x")); return c.seal([]byte("x")) }, badRecordMAC},
	{"many empty records", func(c *side) []byte {
		return times(maxUseless+1, func() []byte { return c.record(applicationData, nil, 1) })
	}, unexpectedMessage},
	{"many times user_canceled", func(c *side) []byte {
		return times(maxUseless+1, func() []byte { return c.record(alertRecord, []byte{1, 90}, 0) })
	}, unexpectedMessage},
	{"a ClientHello", func(c *side) []byte { return c.record(handshakeRecord, []byte{1, 0, 0, 0}, 0) }, unexpectedMessage},
	{"a certificate", func(c *side) []byte { return c.record(handshakeRecord, []byte{11, 0, 0, 4, 0, 0, 0, 0}, 0) }, unexpectedMessage},
	{"an empty handshake record", func(c *side) []byte { return c.record(handshakeRecord, nil, 0) }, unexpectedMessage},
	{"a key update of two bytes", func(c *side) []byte { return c.record(handshakeRecord, []byte{24, 0, 0, 2, 0, 0}, 0) }, decodeError},
	{"a key update that asks for something else", func(c *side) []byte { return c.record(handshakeRecord, []byte{24, 0, 0, 1, 2}, 0) }, illegalParameter},
	{"a key update with something behind it", func(c *side) []byte {
		return c.record(handshakeRecord, []byte{24, 0, 0, 1, 0, 24, 0, 0, 1, 0}, 0)
	}, unexpectedMessage},
	{"data within a key update", func(c *side) []byte {
		return join(c.record(handshakeRecord, []byte{24, 0}, 0), c.seal([]byte("x")))
	}, unexpectedMessage},
	{"an alert within a key update", func(c *side) []byte {
		return join(c.record(handshakeRecord, []byte{24, 0}, 0), c.record(alertRecord, []byte{1, 0}, 0))
	}, unexpectedMessage},
	{"many key updates", func(c *side) []byte { return times(maxUseless+1, func() []byte { return c.update(1) }) }, unexpectedMessage},
	{"a key update for every other record", func(c *side) []byte {
		return times(40, func() []byte { return join(c.seal([]byte("x")), c.update(0)) })
	}, unexpectedMessage},
	{"the old key after a key update", func(c *side) []byte {
		return join(c.record(handshakeRecord, []byte{24, 0, 0, 1, 0}, 0), c.seal([]byte("x")))
	}, badRecordMAC},
}

// update is a key update of a client.
func (s *side) update(request byte) []byte {
	b := s.record(handshakeRecord, append(keyUpdate[:], request), 0)
	s.suite.succeed(&s.out)
	return b
}

func TestMisdeedsAreMetWithTheirAlert(t *testing.T) {
	for _, m := range misdeeds {
		t.Run(m.name, func(t *testing.T) {
			server, client := pair(t, AES128)
			if _, _, err := server.openAll(m.bytes(client)); !errors.Is(err, m.want) {
				t.Errorf("got %v, want %v", err, m.want)
			}
		})
	}
}

func TestAnIncompleteRecordIsLeftAsItIs(t *testing.T) {
	server, client := pair(t, AES128)
	record := client.seal([]byte("hello"))
	before := server.State
	for n := range record {
		if data, took, err := server.cipher.Open(&server.State, record[:n]); data != nil || took != 0 || err != nil {
			t.Fatalf("of %d bytes: %q, %d, %v", n, data, took, err)
		}
	}
	if server.State != before {
		t.Error("the state has changed")
	}
}

func TestSomeEmptyRecordsAreIgnored(t *testing.T) {
	server, client := pair(t, AES128)
	for range 5 {
		b := times(maxUseless, func() []byte { return client.record(applicationData, nil, 1) })
		if data, _, err := server.openAll(append(b, client.seal([]byte("x"))...)); err != nil || string(data) != "x" {
			t.Fatalf("%q, %v", data, err)
		}
	}
}

func TestAKeyUpdateIsFollowedAndAnsweredBeforeTheNextData(t *testing.T) {
	onEachSuite(t, func(t *testing.T, suite Suite) {
		for _, inPieces := range []bool{false, true} {
			server, client := pair(t, suite)
			for i := range 100 {
				var b []byte
				if inPieces {
					for _, octet := range append(keyUpdate[:], 1) {
						b = append(b, client.record(handshakeRecord, []byte{octet}, 1)...)
					}
					client.suite.succeed(&client.out)
				} else {
					b = join(client.update(0), client.update(1)) // two updates get one answer
				}
				for range 2 * updateCost {
					b = append(b, client.seal([]byte("x"))...)
				}
				if _, _, err := server.openAll(b); err != nil {
					t.Fatalf("update %d: %v", i, err)
				}
				if !server.owed {
					t.Fatal("no answer is owed")
				}
				before := client.in.secret
				answer := times(updateCost, func() []byte { return server.seal([]byte("y")) })
				if data, _, err := client.openAll(answer); err != nil || len(data) != updateCost {
					t.Fatalf("%q, %v", data, err)
				}
				if client.in.secret == before || client.owed || server.owed {
					t.Fatal("the answer is not a key update that asks for none")
				}
			}
		}
	})
}

func TestAKeyThatHasSealedEnoughIsReplaced(t *testing.T) {
	if limit := math.Pow(2, 24.5); maxSealed > limit { // §5.5
		t.Errorf("AES-GCM allows %.0f records", limit)
	}
	server, client := pair(t, AES256)
	server.out.seq, client.in.seq = maxSealed-1, maxSealed-1
	for _, m := range []string{"a", "b", "c"} {
		if data, _, err := client.openAll(server.seal([]byte(m))); err != nil || string(data) != m {
			t.Fatalf("%q, %v", data, err)
		}
	}
	if server.out.seq != 2 {
		t.Errorf("the next record has the number %d", server.out.seq)
	}
	server.out.seq, client.in.seq = maxSealed-1, maxSealed-1
	if data, _, err := client.openAll(server.seal(make([]byte, 3*MaxPlaintext))); err != nil || len(data) != 3*MaxPlaintext {
		t.Errorf("within one call: %d bytes, %v", len(data), err)
	}
}

func TestRecordNumbersAreNotUsedTwice(t *testing.T) {
	server, client := pair(t, AES128)
	server.in.seq = math.MaxUint64
	if _, _, err := server.openAll(client.seal([]byte("x"))); !errors.Is(err, internalError) {
		t.Errorf("opened: %v", err)
	}
	server.out.seq = math.MaxUint64
	defer func() {
		if recover() == nil {
			t.Error("sealed")
		}
	}()
	server.cipher.SealAlert(&server.State, nil, CloseNotify)
}

func TestSecretsAreNotPrinted(t *testing.T) {
	server, _ := pair(t, AES128)
	text, err := json.Marshal(&server.State)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprint(&server.State), fmt.Sprintf("%+v %#v %x", &server.State, &server.State, &server.State), string(text)} {
		if !strings.Contains(s, "secret)") || strings.Contains(s, "10 10") || strings.Contains(s, "0a0a") {
			t.Errorf("printed: %s", s)
		}
	}
	server.State.Wipe()
	if server.State != (State{}) {
		t.Error("something is left")
	}
}

func TestSecretsOfTheWrongLengthAreRefused(t *testing.T) {
	for _, c := range []struct {
		suite Suite
		n, m  int
	}{{AES128, 32, 48}, {AES128, 31, 32}, {AES256, 32, 32}, {ChaCha20, 0, 32}, {0x1304, 32, 32}, {0, 0, 0}} {
		if _, err := New(c.suite, make([]byte, c.n), make([]byte, c.m), 0, 0); !errors.Is(err, ErrSecrets) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestAStateIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(State{}); n > 216 {
		t.Errorf("%d bytes", n)
	}
}

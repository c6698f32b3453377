package tlsrecord

import "fmt"

// Alert is the code of an alert (RFC 8446 §6). As an error of Cipher.Open it is
// what the peer is to be sent before the connection is cut.
type Alert uint8

// The alerts that this package sends.
const (
	CloseNotify       Alert = 0
	unexpectedMessage Alert = 10
	badRecordMAC      Alert = 20
	recordOverflow    Alert = 22
	illegalParameter  Alert = 47
	decodeError       Alert = 50
	internalError     Alert = 80
	userCancelled     Alert = 90 // received only
)

var alertTexts = map[Alert]string{
	CloseNotify: "close notify", unexpectedMessage: "unexpected message", badRecordMAC: "bad record MAC",
	recordOverflow: "record overflow", illegalParameter: "illegal parameter", decodeError: "decode error",
	internalError: "internal error",
}

// Error says what the peer did wrong.
func (a Alert) Error() string {
	if text, ok := alertTexts[a]; ok {
		return "tlsrecord: " + text
	}
	return fmt.Sprintf("tlsrecord: alert %d", uint8(a))
}

// PeerError is a fatal alert that the peer sent.
type PeerError Alert

// Error names the alert.
func (p PeerError) Error() string { return "tlsrecord: the peer sent an alert: " + Alert(p).Error() }

// level is the first byte of an alert; nobody heeds it in TLS 1.3 (§6).
func (a Alert) level() byte {
	if a == CloseNotify {
		return 1
	}
	return 2
}

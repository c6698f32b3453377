// Package proxyproto reads the header with which a proxy begins a connection
// that it passes on: who the client is. It is HAProxy's PROXY protocol, versions
// 1 (a line of text) and 2 (binary).
//
// Not a byte behind the header is read, so that the connection can be handed on
// as the bare socket that it is.
package proxyproto

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// ErrBadHeader means a connection that does not begin with a header as it should.
var ErrBadHeader = errors.New("proxyproto: bad header")

// Bounds of a header.
const (
	maxLine  = 107  // of version 1, by the specification
	maxBlock = 4096 // of version 2, addresses and TLVs; the longest known TLV holds a certificate's name
)

// signature begins a header of version 2. It is as long as what is read first:
// no header of version 1 is shorter.
const signature = "\r\n\r\n\x00\r\nQUIT\n"

const linePrefix = "PROXY "

// Read takes a header off r. The address is that of the client; the zero one
// means the connection's own end: the proxy speaks for itself (LOCAL), or of a
// client that has no IP address.
//
// The error wraps ErrBadHeader, or is r's. TLVs are skipped, a checksum too: what
// damages it on the way would damage the rest as well.
func Read(r io.Reader) (netip.AddrPort, error) {
	var start [len(signature)]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return netip.AddrPort{}, err
	}
	switch text := string(start[:]); {
	case text == signature:
		return readBinary(r)
	case strings.HasPrefix(text, linePrefix):
		return readLine(r, text)
	default:
		return netip.AddrPort{}, fmt.Errorf("%w: it begins with %q", ErrBadHeader, text)
	}
}

// readLine goes on with version 1. It reads byte by byte: nothing says how long
// the line is.
func readLine(r io.Reader, start string) (netip.AddrPort, error) {
	var buf [maxLine]byte
	n := copy(buf[:], start)
	for buf[n-1] != '\n' {
		if n == maxLine {
			return netip.AddrPort{}, fmt.Errorf("%w: its line is over %d bytes", ErrBadHeader, maxLine)
		}
		if _, err := io.ReadFull(r, buf[n:n+1]); err != nil {
			return netip.AddrPort{}, unexpected(err)
		}
		n++
	}
	line, ok := strings.CutSuffix(string(buf[len(linePrefix):n]), "\r\n")
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("%w: its line does not end in CR LF", ErrBadHeader)
	}
	return parseLine(line)
}

// parseLine reads what follows PROXY: TCP4 source destination port port, or
// UNKNOWN and anything.
func parseLine(line string) (netip.AddrPort, error) {
	if line == "UNKNOWN" || strings.HasPrefix(line, "UNKNOWN ") {
		return netip.AddrPort{}, nil
	}
	fields := strings.Split(line, " ")
	if len(fields) != 5 || fields[0] != "TCP4" && fields[0] != "TCP6" {
		return netip.AddrPort{}, fmt.Errorf("%w: %q is not TCP4 or TCP6, two addresses and two ports", ErrBadHeader, line)
	}
	six := fields[0] == "TCP6"
	source, sourceOK := parseAddr(fields[1], six)
	_, destinationOK := parseAddr(fields[2], six)
	port, portOK := parsePort(fields[3])
	_, otherOK := parsePort(fields[4])
	if !sourceOK || !destinationOK || !portOK || !otherOK {
		return netip.AddrPort{}, fmt.Errorf("%w: %q has an address or a port that is none", ErrBadHeader, line)
	}
	return netip.AddrPortFrom(source, port), nil
}

func parseAddr(s string, six bool) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err == nil && a.Is6() == six && a.Zone() == ""
}

// parsePort reads a number without leading zeros.
func parsePort(s string) (uint16, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err == nil && strconv.FormatUint(n, 10) == s //nolint:gosec // 16 bits
}

// The parts of version 2's fixed bytes.
const (
	version2 = 2 // upper half of the first byte

	commandLocal = 0 // lower half
	commandProxy = 1

	familyInet   = 1 // upper half of the second byte
	familyInet6  = 2
	familyUnix   = 3
	transportTCP = 1 // lower half; 0 is not said
)

// readBinary goes on with version 2: a byte for version and command, one for
// family and transport, two for the length of the block that follows.
func readBinary(r io.Reader) (netip.AddrPort, error) {
	var fixed [4]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return netip.AddrPort{}, unexpected(err)
	}
	version, command := fixed[0]>>4, fixed[0]&0xf
	size := int(binary.BigEndian.Uint16(fixed[2:]))
	switch {
	case version != version2 || command > commandProxy:
		return netip.AddrPort{}, fmt.Errorf("%w: version %d, command %d", ErrBadHeader, version, command)
	case size > maxBlock:
		return netip.AddrPort{}, fmt.Errorf("%w: its block has %d bytes, %d are the most", ErrBadHeader, size, maxBlock)
	}
	block := make([]byte, size)
	if _, err := io.ReadFull(r, block); err != nil {
		return netip.AddrPort{}, unexpected(err)
	}
	if command == commandLocal {
		return netip.AddrPort{}, nil
	}
	return parseBlock(fixed[1], block)
}

// parseBlock finds the source's address. Families beside IP have none, and of
// those that are unknown it is not known.
func parseBlock(protocol byte, block []byte) (netip.AddrPort, error) {
	family, transport := protocol>>4, protocol&0xf
	var width int // of an address
	switch {
	case family > familyUnix || transport > 2:
		return netip.AddrPort{}, fmt.Errorf("%w: family %d, transport %d", ErrBadHeader, family, transport)
	case family == familyInet:
		width = 4
	case family == familyInet6:
		width = 16
	default:
		return netip.AddrPort{}, nil
	}
	if transport != transportTCP || len(block) < 2*width+4 {
		return netip.AddrPort{}, fmt.Errorf("%w: transport %d, %d bytes for addresses", ErrBadHeader, transport, len(block))
	}
	source, _ := netip.AddrFromSlice(block[:width]) // of 4 or 16 bytes
	return netip.AddrPortFrom(source.Unmap(), binary.BigEndian.Uint16(block[2*width:])), nil
}

// unexpected is for the end of the input inside a header.
func unexpected(err error) error {
	if err == io.EOF { //nolint:errorlint // io.ReadFull returns it bare
		return io.ErrUnexpectedEOF
	}
	return err
}

package websocket

import (
	"slices"
	"testing"
)

func TestATableIsWalkedInPieces(t *testing.T) {
	var tb table
	fds := []int32{0, 7, 1023, 1024, 5 * chunkSize, tableSize - 1}
	for _, fd := range fds {
		tb.put(fd, &conn{fd: fd})
	}
	tests := []struct {
		from, to int32
		want     []int32
	}{
		{0, tableSize, fds}, {0, 7, fds[:1]}, {7, 8, fds[1:2]}, {8, 1024, fds[2:3]}, {1024, 1025, fds[3:4]},
		{1025, 5 * chunkSize, nil}, {1025, tableSize, fds[4:]}, {9, 9, nil}, {tableSize, tableSize, nil},
	}
	for _, tt := range tests {
		var got []int32
		for c := range tb.between(tt.from, tt.to) {
			got = append(got, c.fd)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("[%d, %d): got %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
}

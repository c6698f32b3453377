//go:build !roost_restless

package tlsrecord

// maxSealed is how many records one key seals. AES-GCM allows 2^24.5 of full
// size (§5.5); ChaCha20 has no such limit and gets the same.
const maxSealed = 1 << 23

// Package wire turns frames into messages and messages into frames.
//
// A [Serializer] is chosen once per connection by the client's vsn (see
// [Versions]) and then reads that client's frames and writes its answers. Two
// are built in: [V1], JSON objects, and [V2], JSON arrays with binary frames.
// All values of this package are safe for concurrent use as long as nobody
// writes to them; serializers hold no state.
//
// # Who owns the bytes
//
// [Serializer.Decode] copies nothing it can avoid: the strings, refs and payload
// of the message that it fills may point into the frame it was given. They are
// good until the owner of the frame uses its memory again, which a transport
// does as soon as the call that delivered the frame returns. Whoever keeps a
// message longer keeps its [Message.Clone]; whoever keeps a single field for
// long clones that field ([strings.Clone]), because the fields of a cloned
// message share one block of memory.
//
// In the other direction nothing is retained: [Serializer.Encode] copies what
// it writes.
//
// Clauses and sections cited in the code ("clause 98", "[§6.1]") are those of
// the Phoenix protocol specification, version 1.8.
package wire

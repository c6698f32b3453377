package wiretest

import "github.com/roostgo/roost/wire"

// Client is the other end of a serializer: it writes what the serializer reads
// and reads what it writes.
type Client struct {
	// Encode returns the frame of a client's push.
	Encode func(m wire.Message) (data []byte, binary bool)

	// Decode returns the message of a server's frame. A reply has its Status and
	// its response as Payload, and no Event.
	Decode func(data []byte, binary bool) (wire.Message, error)

	CarriesBinary  bool // whether binary payloads can be sent, either way
	CarriesJoinRef bool // whether the server's messages tell the join_ref
	CarriesAnyJSON bool // whether pushes and broadcasts may carry more than objects
}

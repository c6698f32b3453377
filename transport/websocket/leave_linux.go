package websocket

import "time"

// When a network fails or a proxy restarts, thousands of clients are gone at
// once. Ending a connection costs tens of times what reading a message does, and
// the kernel reports connections in the order in which something happened to
// them: who stays would wait for all who leave. So a loop sets aside those that
// leave, at the price of one system call, and ends a few at a time. Between
// these turns it sleeps, if there is nothing else to do, so that the processors
// are there for the rest of the program, and the system's scheduler does not
// take the loop for one that only computes.

const (
	// leaveTurn is how many connections a loop ends in one turn, by its own
	// decision or by that of their clients.
	leaveTurn = 32

	// leaveGap is the time from one such turn to the next.
	leaveGap = time.Millisecond
)

// leavers are connections whose clients have closed at least their half.
type leavers struct {
	queue
	next time.Time // of the turns
}

// leave sets a connection aside.
func (l *loop) leave(c *conn) {
	if err := l.poller.Remove(int(c.fd)); err != nil {
		l.doom(c)
		return
	}
	c.flags |= leaving
	l.leavers.push(c)
}

// part reads what clients sent before they left, and closes their connections.
func (l *loop) part() {
	if l.leavers.len() == 0 || time.Now().Before(l.leavers.next) {
		return
	}
	for range min(leaveTurn, l.leavers.len()) {
		if c := l.leavers.pop(); c.state != closed {
			l.bid(c)
		}
	}
	l.leavers.next = time.Now().Add(leaveGap)
}

// bid takes the next that a client sent before it left, or closes its
// connection if there is nothing more. A session that holds is told of the end
// when the poller reports it again.
func (l *loop) bid(c *conn) {
	switch more := l.read(c); {
	case c.state == closed:
	case more && !c.is(held):
		l.leavers.push(c)
	default:
		l.stay(c)
	}
}

// stay watches a connection again.
func (l *loop) stay(c *conn) {
	c.flags &^= leaving
	if err := l.poller.Add(int(c.fd), c.token()); err != nil {
		l.doom(c)
		return
	}
	l.watch(c)
}

// queue is a list of connections of which the oldest is taken first.
type queue struct {
	list []*conn
	head int
}

func (q *queue) len() int { return len(q.list) - q.head }

// push appends a connection. A list that is never empty does not grow by what
// was taken from it.
func (q *queue) push(c *conn) {
	if len(q.list) == cap(q.list) && q.head > len(q.list)/2 {
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	q.list = append(q.list, c)
}

func (q *queue) pop() *conn {
	c := q.list[q.head]
	q.list[q.head] = nil
	if q.head++; q.head == len(q.list) {
		q.list, q.head = shrink(q.list), 0
	}
	return c
}

// Package ratelimit says how often something may happen, and how much of it
// may be there at once, in memory that is bounded whoever comes.
//
// A [Limit] is a rate and a burst: "100/s burst 20". What is limited has a
// bucket, eight bytes, and there are three places to keep it:
//
//   - with the thing itself: a [Bucket] in a socket's struct, judged by a
//     [Limiter];
//   - in a table by key: a [Keyed], for addresses, say, which have no struct
//     ([PerAddress] makes keys of them);
//   - in a [Store], which may be shared by nodes. [Memory] is the one on this
//     node, and package ratelimittest has the suite that each must pass.
//
// A [Gauge] counts what is there at once, such as connections, in all and per
// key.
//
// Everything decides at once and starts nothing: there is no goroutine, no
// timer, and no allocation for a key that is known. Every limit counts what it
// decides, and has a shadow mode in which it counts and lets pass.
//
// # How it is counted
//
// The buckets follow the generic cell rate algorithm (ITU-T I.371, virtual
// scheduling): of each only the theoretical arrival time is kept, at which it
// will be full again. An event moves it on by 1/Rate; one that would move it
// more than Burst/Rate ahead of now is refused and moves nothing. In any
// window of t seconds no more than Rate·t + Burst events pass, rounded up to
// a whole one.
//
// Time is monotonic and counted in whole nanoseconds, and each event rounded
// up to them: what has a bucket of its own cannot pass more often than once in
// a nanosecond. If a clock does go back, a bucket counts as empty, not as
// further away than that.
package ratelimit

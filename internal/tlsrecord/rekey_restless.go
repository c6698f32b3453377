//go:build roost_restless

package tlsrecord

// maxSealed has browsers meet a change of keys, which otherwise comes after
// millions of records, within a test.
const maxSealed = 16

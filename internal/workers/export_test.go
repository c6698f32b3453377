package workers

// Spare is how many idle workers stay.
const Spare = spare

/** A program that is replaced in part by the test beside it. */
const word: string = 'before'

console.log(word)

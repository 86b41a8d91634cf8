// # A notebook with exercises
//
// Five small exercises with 12 points, for the tests of handing out and grading.

import Foundation
import Literate

// The sum of whole numbers. The sum of no numbers is 0.
cell("Sum")

func sum(_ numbers: [Int]) throws -> Int {
  // BEGIN SOLUTION: sum
  numbers.reduce(0, +)
  // END SOLUTION
}

check("The sum of three numbers", timeLimit: 3) {
  let got = try sum([1, 2, 3])
  try expect(got == 6, "sum([1, 2, 3]): expected 6, got \(got)")
}
// BEGIN HIDDEN TESTS
check("The sum of no numbers", timeLimit: 3) {
  let got = try sum([])
  try expect(got == 0, "sum([]): expected 0, got \(got)")
}
// END HIDDEN TESTS

// The largest number of a list, and nil for an empty list.
cell("Largest")

func largest(_ numbers: [Int]) throws -> Int? {
  // BEGIN SOLUTION: largest
  // STUB: return nil
  numbers.max()
  // END SOLUTION
}

check("The largest of three numbers", timeLimit: 3) {
  let got = try largest([3, 17, 5])
  try expect(
    got == 17, "largest([3, 17, 5]): expected 17, got \(got.map(String.init) ?? "nil")")
}
// BEGIN HIDDEN TESTS
check("The largest of negative numbers, and of none", timeLimit: 3) {
  let got = try largest([-8, -2, -5])
  try expect(
    got == -2, "largest([-8, -2, -5]): expected -2, got \(got.map(String.init) ?? "nil")")
  try expect(largest([]) == nil, "largest([]): expected nil")
}
// END HIDDEN TESTS

// The words of a text in reverse order.
cell("Reversed words")

func reversedWords(_ text: String) throws -> String {
  // BEGIN SOLUTION: reversed words
  text.split(separator: " ").reversed().joined(separator: " ")
  // END SOLUTION
}

check("Three words", timeLimit: 3) {
  let got = try reversedWords("one two three")
  try expect(got == "three two one", "expected \"three two one\", got \"\(got)\"")
}
// BEGIN HIDDEN TESTS
check("One word", timeLimit: 3) {
  let got = try reversedWords("one")
  try expect(got == "one", "expected \"one\", got \"\(got)\"")
}
// END HIDDEN TESTS

// All prime numbers below a limit. The hidden check gives a part of its points for each of four
// limits.
cell("Primes")

// BEGIN SOLUTION: primes
// STUB: func primes(below limit: Int) -> [Int] { [] }
/// A number is prime if no smaller prime divides it.
func primes(below limit: Int) -> [Int] {
  var primes: [Int] = []
  for number in 2..<max(2, limit) where primes.allSatisfy({ number % $0 > 0 }) {
    primes.append(number)
  }
  return primes
}
// END SOLUTION

check("Primes below 10", timeLimit: 3) {
  let got = primes(below: 10)
  try expect(got == [2, 3, 5, 7], "expected [2, 3, 5, 7], got \(got)")
}
// BEGIN HIDDEN TESTS
check("Primes below 3, 5, 30 and 100", points: 3, timeLimit: 3) {
  let expected = [3: 2, 5: 5, 30: 129, 100: 1060]
  let right = expected.count { limit, sum in primes(below: limit).reduce(0, +) == sum }
  return Double(right) / Double(expected.count)
}
// END HIDDEN TESTS

// A value to which numbers are added, and which has their mean.
cell("Mean")

// BEGIN SOLUTION: mean
// STUB: struct Mean {
// STUB:   var value: Double? { nil }
// STUB:   mutating func add(_ number: Double) {}
// STUB: }
struct Mean {
  private var (sum, count) = (0.0, 0)

  /// The mean; nil before the first number.
  var value: Double? { count > 0 ? sum / Double(count) : nil }

  mutating func add(_ number: Double) {
    sum += number
    count += 1
  }
}
// END SOLUTION

check("The mean of two numbers", timeLimit: 3) {
  var mean = Mean()
  mean.add(1)
  mean.add(4)
  try expect(mean.value == 2.5, "expected 2.5, got \(mean.value.map { "\($0)" } ?? "nil")")
}
// BEGIN HIDDEN TESTS
check("The mean of no numbers", timeLimit: 3) {
  var mean = Mean()
  try expect(mean.value == nil, "expected nil before the first number")
  mean.add(7)
  try expect(mean.value == 7, "expected 7, got \(mean.value.map { "\($0)" } ?? "nil")")
}
// END HIDDEN TESTS

import Lab
import Testing

struct StorageTests {
  @Test func bothLayoutsHoldTheSameElements() {
    let x = pattern([2, 3, 2, 2])
    let last = x.pointer(.channelsLast)
    for n in 0..<2 {
      for c in 0..<3 {
        for pixel in 0..<4 {
          #expect(last[(n * 4 + pixel) * 3 + c] == x.pointer[(n * 3 + c) * 4 + pixel])
        }
      }
    }
    let y = Tensor(uninitialized: x.shape, layout: .channelsLast)
    y.pointer(.channelsLast).update(from: last, count: x.count)
    #expect(y == x)
    #expect(y.layout == .channelsLast && x.layout == .rowMajor)
  }

  @Test(arguments: [[2, 1, 3, 3], [2, 5, 1, 1], [4, 6], []])
  func whereBothLayoutsAreTheSameThereIsOne(shape: [Int]) {
    let x = Tensor(uninitialized: shape, layout: .channelsLast)
    #expect(x.layout == .rowMajor)
    #expect(x.pointer(.channelsLast) == x.pointer)
  }

  @Test func aViewOfImagesIsRowMajor() throws {
    let x = Tensor(uninitialized: [1, 2, 1, 2], layout: .channelsLast)
    x.pointer(.channelsLast).update(from: [1, 2, 3, 4], count: 4)
    #expect(try flatten(x) == Tensor([1, 3, 2, 4], shape: [1, 4]))
  }

  @Test func aRecipeIsFollowedOnceAndLate() {
    let input = Tensor([1, 2, 3])
    let recipe = Doubling(input)
    let y = Tensor(shape: [3], storage: Storage(shape: [3], recipe: recipe))
    #expect(recipe.times == 0)
    #expect(y == Tensor([2, 4, 6]))
    #expect(y.elements == [2, 4, 6])
    #expect(recipe.times == 1)
  }

  @Test func whatWaitsIsComputedBeforeItsInputChanges() {
    let input = Tensor([1, 2, 3])
    let y = Tensor(shape: [3], storage: Storage(shape: [3], recipe: Doubling(input)))
    input.storage.willChange()
    input.pointer[0] = 100
    #expect(y == Tensor([2, 4, 6]))
  }

  @Test func aChangeIsSeenInBothLayouts() {
    let x = pattern([1, 2, 2, 1])
    _ = x.pointer(.channelsLast)
    x.storage.willChange()
    x.pointer[1] = 100
    #expect(x.pointer(.channelsLast)[2] == 100)
  }
}

/// Twice the input.
private final class Doubling: Recipe {
  let input: Tensor
  var times = 0
  var inputs: [Storage] { [input.storage] }

  init(_ input: Tensor) { self.input = input }

  func write(to storage: Storage) {
    times += 1
    for index in 0..<3 { storage.pointer(.rowMajor)[index] = 2 * input.pointer[index] }
  }
}

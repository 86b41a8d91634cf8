import Kernels
import Testing

/// The memory that kernels keep for each other.
struct ScratchTests {
  @Test func aBlockIsReusedForASizeThatItFits() {
    var free = FreeBlocks()
    let small = FreeBlocks.Block(count: 2000)
    let large = FreeBlocks.Block(count: 9000)
    #expect(free.keep(small).isEmpty && free.keep(large).isEmpty)
    #expect(free.floats == 11_000)
    #expect(free.take(10_000) == nil)
    #expect(free.take(2000)?.pointer == small.pointer)
    // Less than a quarter of it would be used.
    #expect(free.take(2000) == nil)
    #expect(free.take(3000)?.pointer == large.pointer)
    #expect(free.floats == 0)
    small.deallocate()
    large.deallocate()
  }

  @Test func aBlockThatIsNotUsedForLongIsGivenBack() {
    var free = FreeBlocks()
    let (unused, used) = (FreeBlocks.Block(count: 50_000), FreeBlocks.Block(count: 10))
    #expect(free.keep(unused).isEmpty && free.keep(used).isEmpty)
    var old: [FreeBlocks.Block] = []
    for _ in 0..<2 * FreeBlocks.longestWait {
      if let block = free.take(10) { old += free.keep(block) }
    }
    #expect(old.map(\.pointer) == [unused.pointer])
    #expect(free.floats == 10)
    unused.deallocate()
    used.deallocate()
  }

  @Test func moreThanTheLimitIsGivenBackOldestFirst() {
    var free = FreeBlocks()
    // Memory that is never touched costs nothing.
    let blocks = (0..<3).map { _ in FreeBlocks.Block(count: FreeBlocks.mostFloats / 2) }
    #expect(free.keep(blocks[0]).isEmpty && free.keep(blocks[1]).isEmpty)
    #expect(free.keep(blocks[2]).map(\.pointer) == [blocks[0].pointer])
    #expect(free.floats == FreeBlocks.mostFloats)
    for block in blocks { block.deallocate() }
  }
}

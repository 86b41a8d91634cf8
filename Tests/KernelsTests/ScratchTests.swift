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
    var free = FreeBlocks(longestWait: 100)
    let (unused, used) = (FreeBlocks.Block(count: 50_000), FreeBlocks.Block(count: 10))
    #expect(free.keep(unused).isEmpty && free.keep(used).isEmpty)
    var old: [FreeBlocks.Block] = []
    func useTheOther() {
      if let block = free.take(10) { old += free.keep(block) }
    }
    for _ in 0..<99 { useTheOther() }
    #expect(old.isEmpty)
    useTheOther()
    #expect(old.map(\.pointer) == [unused.pointer])
    #expect(free.floats == 10)
    unused.deallocate()
    used.deallocate()
  }

  @Test func moreThanTheLimitIsGivenBackOldestFirst() {
    var free = FreeBlocks(mostFloats: 1000)
    let blocks = (0..<3).map { _ in FreeBlocks.Block(count: 500) }
    #expect(free.keep(blocks[0]).isEmpty && free.keep(blocks[1]).isEmpty)
    #expect(free.keep(blocks[2]).map(\.pointer) == [blocks[0].pointer])
    #expect(free.floats == 1000)
    for block in blocks { block.deallocate() }
  }

  @Test func aBlockOfAnExactSizeCanBeAskedFor() {
    var free = FreeBlocks()
    let blocks = [100, 101, 100].map { FreeBlocks.Block(count: $0) }
    for block in blocks { #expect(free.keep(block).isEmpty) }
    #expect(free.take(exactly: 99) == nil)
    #expect(free.take(exactly: 100)?.pointer == blocks[2].pointer)
    #expect(free.take(exactly: 100)?.pointer == blocks[0].pointer)
    #expect(free.take(exactly: 100) == nil)
    for block in blocks { block.deallocate() }
  }
}

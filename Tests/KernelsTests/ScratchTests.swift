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

  @Test func moreThanHasBeenInUseIsGivenBack() {
    var free = FreeBlocks(margin: 0)
    func block(_ count: Int) -> FreeBlocks.Block {
      #expect(free.makeRoom(for: count).isEmpty)
      return FreeBlocks.Block(count: count)
    }
    // They were all in use at the same time, so all are kept.
    let blocks = (0..<3).map { _ in block(500) }
    for block in blocks { #expect(free.keep(block).isEmpty) }
    #expect(free.floats == 1500)
    // One after the other, of sizes that do not fit: more than 1500 have never been in use.
    #expect(free.makeRoom(for: 300).map(\.pointer) == [blocks[0].pointer])
    let other = FreeBlocks.Block(count: 300)
    #expect(free.floats == 1000)
    #expect(free.keep(other).isEmpty)
    #expect(free.makeRoom(for: 600).map(\.pointer) == [blocks[1].pointer])
    #expect(free.floats == 800)
    for block in blocks + [other] { block.deallocate() }
  }

  @Test func aMarginIsKeptAndAsLittleAsPossibleGivenBack() {
    var free = FreeBlocks(margin: 1000)
    var blocks: [FreeBlocks.Block] = []
    for count in [400, 600, 500, 1100] {
      let old = free.makeRoom(for: count)
      // 1500 are free, and 1100 in use: 500 too many.
      #expect(old.map(\.pointer) == (count == 1100 ? [blocks[2].pointer] : []))
      let block = FreeBlocks.Block(count: count)
      blocks.append(block)
      #expect(free.keep(block).isEmpty)
    }
    #expect(free.floats == 2100)
    for block in blocks { block.deallocate() }
  }

  @Test func largeBlocksHavePagesOfTheirOwn() {
    let block = FreeBlocks.Block(count: 1 << 19)
    #expect(UInt(bitPattern: block.pointer) % 4096 == 0)
    block.pointer[(1 << 19) - 1] = 1
    block.deallocate()
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

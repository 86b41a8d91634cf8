import Foundation
import Lab
import TestSupport
import Testing

/// Tests on the real files, or on an excerpt of EMNIST.
@Suite(.enabled(if: realData != nil, "LAB_TEST_DATA names no folder"))
struct RealDataTests {
  private func counts(_ dataset: Dataset) -> [Int] {
    let counts = (0..<dataset.count).reduce(into: [Int](repeating: 0, count: 66)) {
      $0[dataset.label(at: $1)] += 1
    }
    return Array(counts.dropFirst(4))
  }

  // torch.manual_seed(42); random_split(range(60000), [55000, 5000]); labels of the first train and
  // val images in the official file
  @Test func mnist() throws {
    let folder = try copyOfMetadata()
    let options = DataOptions(source: .download, folder: folder.folder, report: Lines().add)
    let data = try MNIST(options)
    #expect(!data.isSynthetic)
    #expect(data.sizes == [55_000, 5000, 10_000])
    #expect((0..<10).map { data.train.label(at: $0) } == [6, 7, 6, 9, 4, 2, 1, 3, 8, 9])
    #expect((0..<10).map { data.val.label(at: $0) } == [1, 4, 7, 4, 7, 7, 7, 2, 5, 2])
    #expect((0..<10).map { data.test.label(at: $0) } == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    let statistics = data.test.batch(at: Array(0..<10_000)).x
    // (x / 255 - 0.1307) / 0.3081 over the official test images
    #expect(abs(statistics.mean() - 0.0058897) < 1e-5)
    #expect(abs(statistics.std() - 1.0077256) < 1e-5)
    let again = try MNIST(options)
    #expect(again.test.batch(at: Array(0..<10_000)).x == statistics)
  }

  @Test func emnist() throws {
    let folder = try copyOfMetadata()
    let lines = Lines()
    let options = DataOptions(source: .download, folder: folder.folder, report: lines.add)
    let data = try EMNIST(options)
    #expect(data.test.label(at: 0) == 4)
    #expect(counts(data.trainval).allSatisfy { $0 > 0 })
    #expect(data.train.count == Int(0.8 * Double(data.trainval.count)))

    let reported = lines.all.count
    let again = try EMNIST(options)
    #expect(lines.all.count == reported)
    #expect(again.description == data.description)
    let some = Array(stride(from: 0, to: data.train.count, by: 97))
    #expect(again.train.batch(at: some).x == data.train.batch(at: some).x)

    // The rest is known of the whole archive only.
    guard data.test.count > 50_000 else { return }
    #expect(data.sizes == [260_212, 65_054, 53_988])
    #expect(counts(data.trainval) == Self.trainCounts)
    #expect(counts(data.test) == Self.testCounts)
    // random_split(range(325266), [260212, 65054], generator=torch.Generator().manual_seed(42))
    let train = [197172, 314063, 247886, 59431, 232800]
    let val = [11029, 26172, 203529, 19617, 116819]
    let first = Array(0..<5)
    #expect(data.train.batch(at: first).x == data.trainval.batch(at: train).x)
    #expect(data.val.batch(at: first).x == data.trainval.batch(at: val).x)
    #expect(data.val.batch(at: first).y == data.trainval.batch(at: val).y)
  }

  /// The balanced images of 0–9, A–Z, a–z as the course's own steps count them.
  private static let trainCounts = [
    9133, 9229, 9098, 9119, 9096, 9008, 9103, 9124, 9080, 9161, 5179, 3666, 6496, 4128, 4351, 6261,
    2476, 3049, 7031, 3540, 2433, 4451, 6212, 5955, 8607, 6037, 2554, 4493, 8315, 6418, 7171, 4183,
    4219, 2701, 4257, 2634, 6538, 4460, 2776, 6561, 8649, 2526, 3483, 6122, 2662, 1893, 2458, 7615,
    2591, 6849, 2691, 2423, 2918, 7478, 2633, 7970, 2772, 2833, 2647, 2748, 2343, 2659,
  ]
  private static let testCounts = [
    1519, 1529, 1502, 1507, 1532, 1479, 1495, 1541, 1504, 1528, 875, 605, 1112, 696, 750, 1015, 435,
    506, 1215, 590, 378, 716, 1022, 976, 1428, 1013, 407, 712, 1390, 1041, 1171, 697, 712, 429, 712,
    454, 1087, 749, 424, 1089, 1448, 394, 562, 1032, 417, 315, 456, 1272, 452, 1163, 455, 366, 489,
    1232, 431, 1296, 469, 460, 457, 461, 377, 442,
  ]
}

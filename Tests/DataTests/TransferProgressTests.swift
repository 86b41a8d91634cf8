import Lab
import Testing

@Suite struct TransferProgressTests {
  @Test(
    arguments: [
      (
        110_200_000, 262_900_000, 12_300_000.0,
        "a.zip  41% [####······]  110.2/262.9 MB  12.3 MB/s  0:12 left"
      ),
      (0, 1_000_000, 0, "a.zip   0% [··········]  0.0/1.0 MB"),
      (1_000_000, 1_000_000, 5e5, "a.zip 100% [##########]  1.0/1.0 MB  0.5 MB/s  0:00 left"),
      // A server may send more than it announced.
      (2_000_000, 1_000_000, 5e5, "a.zip 100% [##########]  2.0/1.0 MB  0.5 MB/s  0:00 left"),
      (1_000_000, 200_000_000, 1e6, "a.zip   0% [··········]  1.0/200.0 MB  1.0 MB/s  3:19 left"),
      (5_000_000, nil, 2e6, "a.zip  5.0 MB  2.0 MB/s"),
    ] as [(Int, Int?, Double, String)])
  func lines(count: Int, total: Int?, rate: Double, expected: String) {
    #expect(
      TransferProgress.line(name: "a.zip", count: count, total: total, rate: rate, width: 10)
        == expected)
  }
}

import Lab
import LabTensors
import Testing

@Suite(.needsOpenCL) struct MemoryTests {
  @Test func tensorsMoveToTheDeviceAndBack() throws {
    let device = try #require(OpenCL.device)
    for shape in [[], [0], [1], [3, 0, 2], [2, 3], [2, 3, 4, 5]] {
      let x = numbers(shape)
      #expect(x.to(device).to(.cpu) == x)
    }
    #expect(
      Tensor(repeating: 2, shape: [3, 5]).to(device).elements == Array(repeating: 2, count: 15))
    try device.check()
  }
}

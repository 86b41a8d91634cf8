import Kernels
import Testing

struct KernelSetTests {
  @Test func theFastestSetIsUsedUnlessAnotherIsNamed() throws {
    #expect(try KernelSet.requested(nil).name == KernelSet.supported[0].name)
    #expect(try KernelSet.requested("").name == KernelSet.supported[0].name)
    for set in KernelSet.supported {
      #expect(try KernelSet.requested(set.name).name == set.name)
    }
  }

  @Test func everyArchitectureHasASetWithoutRequirements() {
    #expect(KernelSet.supported.last?.name == KernelSet.all.last?.name)
  }

  @Test func anUnknownSetIsRefusedInOneLine() {
    let names = KernelSet.supported.map(\.name).joined(separator: ", ")
    let error = #expect(throws: KernelSetError.self) { try KernelSet.requested("sse9") }
    #expect(
      error?.description
        == "LAB_KERNELS=sse9: there are no such kernels; this processor runs \(names).")
  }
}

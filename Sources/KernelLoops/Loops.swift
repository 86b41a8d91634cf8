import KernelInterface

/// The loops of one set of vector instructions.
public enum Loops: VectorLoops {
  public static var vectorLanes: Int { lanes }
  public static var scratchCount: Int { productScratch }
}

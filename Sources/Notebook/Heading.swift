/// Prints a section's title.
public func heading(_ title: String) {
  print("\n\(title)\n\(String(repeating: "=", count: title.count))\n")
}

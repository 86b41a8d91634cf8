import Foundation

/// `0.83 s`, `12.4 s`, `3 min 20 s`, `1 h 2 min`.
package func duration(_ seconds: Double) -> String {
  let whole = Int(seconds.rounded())
  if whole >= 3600 { return "\(whole / 3600) h \(whole % 3600 / 60) min" }
  if whole >= 60 { return "\(whole / 60) min \(whole % 60) s" }
  return String(format: seconds < 9.995 ? "%.2f s" : "%.1f s", seconds)
}

/// `812 MB`, `1.2 GB`.
package func amountOfMemory(_ bytes: Int) -> String {
  let megabytes = Double(bytes) / 1e6
  return megabytes < 999.5
    ? String(format: "%.0f MB", megabytes) : String(format: "%.1f GB", megabytes / 1000)
}

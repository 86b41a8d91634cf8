import CCurl
import Foundation
import LabData

/// One attempt to download a file, or the rest of one, with libcurl.
package final class CurlTransfer {
  /// The result of an attempt.
  package enum Outcome: Equatable {
    case complete
    /// The server's HTTP status, 0 if there was none, and the reason.
    case failed(status: Int, reason: String)
    /// Fewer bytes arrived than the least speed.
    case tooSlow(reason: String)
  }

  private let url: String
  private let offset: Int
  private let deadline: ContinuousClock.Instant
  private let leastSpeed: Int
  private let stallSeconds: Int
  private let onStart: (_ resumes: Bool, _ total: Int?) throws -> Void
  private let onBytes: (Data) throws -> Void
  private var handle: UnsafeMutableRawPointer?
  private var hasBegun = false
  private var refusal: (any Error)?

  /// - Parameters:
  ///   - url: The http, https or file address.
  ///   - offset: The number of bytes that are there already; the server is asked for the rest.
  ///   - deadline: The time at which the attempt ends if no byte has arrived.
  ///   - leastSpeed: The number of bytes per second below which a transfer is too slow.
  ///   - stallSeconds: The number of seconds after which a transfer ends that is too slow.
  ///   - onStart: Called before the first bytes, with whether the server sends the rest (it may send
  ///     everything), and the size of the whole file if it is known.
  ///   - onBytes: Called with each piece.
  package init(
    url: String, from offset: Int, deadline: ContinuousClock.Instant, leastSpeed: Int,
    stallSeconds: Int,
    onStart: @escaping (_ resumes: Bool, _ total: Int?) throws -> Void,
    onBytes: @escaping (Data) throws -> Void
  ) {
    self.url = url
    self.offset = offset
    self.deadline = deadline
    self.leastSpeed = leastSpeed
    self.stallSeconds = stallSeconds
    self.onStart = onStart
    self.onBytes = onBytes
  }

  /// Downloads until the end or the first error.
  ///
  /// - Throws: The error that `onStart` or `onBytes` throws, or ``DataError`` if this machine has no
  ///   memory or open files left, which says nothing about the address.
  package func run() throws -> Outcome {
    let left = ContinuousClock.now.duration(to: deadline) / .milliseconds(1)
    guard left >= 1 else { return .failed(status: 0, reason: "no time left to try it") }
    guard let handle = curl_easy_init() else {
      return .failed(status: 0, reason: "libcurl did not start")
    }
    defer { curl_easy_cleanup(handle) }
    self.handle = handle

    var message = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
    let code = message.withUnsafeMutableBufferPointer { message in
      if let buffer = message.baseAddress { lab_curl_set_error_buffer(handle, buffer) }
      setOptions(of: handle, connectMilliseconds: Int(left))
      return curl_easy_perform(handle)
    }
    if let refusal { throw refusal }
    guard code != CURLE_OK else { return .complete }
    if code == CURLE_OPERATION_TIMEDOUT, hasBegun {
      return .tooSlow(reason: "slower than \(leastSpeed) B/s for \(stallSeconds) s")
    }
    var number = code == CURLE_OUT_OF_MEMORY ? ENOMEM : Int32(lab_curl_os_error(handle))
    // libcurl does not always tell: without a socket it says that it cannot connect.
    if !hasBegun, let failure = Self.failureToOpenFiles() { number = failure }
    if [EMFILE, ENFILE, ENOMEM].contains(number) {
      throw DataError(.unusable, "cannot download \(url): \(systemReason(of: number))")
    }
    return .failed(status: lab_curl_status(handle), reason: reason(of: code, message))
  }

  /// The error of the system if this process cannot open as many files as a transfer needs.
  private static func failureToOpenFiles() -> Int32? {
    var descriptors: [Int32] = []
    defer { for descriptor in descriptors { close(descriptor) } }
    for _ in 0..<12 {
      let descriptor = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard descriptor >= 0 else { return errno }
      descriptors.append(descriptor)
    }
    return nil
  }

  /// The certificates of this system; `nil` if libcurl finds them. A libcurl that came with the program
  /// looks for them where the system that it was built on has them.
  private static let certificates: String? = {
    #if os(Linux)
      let named = ProcessInfo.processInfo.environment["SSL_CERT_FILE"].map { [$0] } ?? []
      let files = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/cert.pem",
      ]
      return (named + files).first(where: FileManager.default.isReadableFile(atPath:))
    #else
      return nil
    #endif
  }()

  private func setOptions(of handle: UnsafeMutableRawPointer, connectMilliseconds: Int) {
    lab_curl_set_text(handle, CURLOPT_URL, url)
    lab_curl_set_text(handle, CURLOPT_USERAGENT, "lab")
    if let file = Self.certificates { lab_curl_set_text(handle, CURLOPT_CAINFO, file) }
    // A proxy that the environment names cannot reach servers on this machine.
    if ["127.0.0.1", "::1", "localhost"].contains(URLComponents(string: url)?.host ?? "") {
      lab_curl_set_text(handle, CURLOPT_NOPROXY, "*")
    }
    lab_curl_set_number(handle, CURLOPT_FOLLOWLOCATION, 1)
    lab_curl_set_number(handle, CURLOPT_MAXREDIRS, 5)
    lab_curl_set_number(handle, CURLOPT_FAILONERROR, 1)
    lab_curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
    lab_curl_set_number(handle, CURLOPT_BUFFERSIZE, 1 << 18)
    lab_curl_set_number(handle, CURLOPT_CONNECTTIMEOUT_MS, connectMilliseconds)
    lab_curl_set_number(handle, CURLOPT_LOW_SPEED_LIMIT, leastSpeed)
    lab_curl_set_number(handle, CURLOPT_LOW_SPEED_TIME, stallSeconds)
    lab_curl_leave_look_ups_behind(handle)
    // Ask for the rest as a range: libcurl's own resuming fails if a server sends everything.
    if offset > 0 { lab_curl_set_text(handle, CURLOPT_RANGE, "\(offset)-") }
    lab_curl_set_receiver(
      handle,
      { bytes, size, count, context in
        guard let bytes, let context else { return 0 }
        let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
        return transfer.receive(Data(bytes: bytes, count: size * count)) ? size * count : 0
      },
      { context, _, _, _, _ in
        guard let context else { return 0 }
        let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
        return transfer.isOverdue ? 1 : 0
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private var isOverdue: Bool { !hasBegun && ContinuousClock.now >= deadline }

  private func receive(_ bytes: Data) -> Bool {
    do {
      if !hasBegun {
        hasBegun = true
        let resumes = offset > 0 && lab_curl_status(handle) != 200
        let length = Int(lab_curl_content_length(handle))
        try onStart(resumes, length < 0 ? nil : length + (resumes ? offset : 0))
      }
      try onBytes(bytes)
      return true
    } catch {
      refusal = error
      return false
    }
  }

  private func reason(of code: CURLcode, _ message: [CChar]) -> String {
    if code == CURLE_ABORTED_BY_CALLBACK { return "no answer" }
    let text = String(
      decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
  }
}

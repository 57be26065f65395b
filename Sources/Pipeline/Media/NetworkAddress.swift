internal import FFmpegC

/// An address in the network that the user named: nothing else is ever reached.
public struct NetworkAddress: Hashable, Sendable {
  /// The first part of an address, with the protocols that it needs.
  enum Scheme: String, CaseIterable, Sendable {
    case http, https, rtmp, rtmps, rtp, rtsp, srt, tcp, udp

    /// The protocols that may be used, in libav's form; none of them opens files.
    var protocols: String {
      switch self {
      case .http: "http,tcp"
      case .https: "https,http,tls,tcp"
      case .rtmp: "rtmp,tcp"
      case .rtmps: "rtmps,rtmp,tls,tcp"
      case .rtp: "rtp,udp"
      case .rtsp: "rtsp,rtp,udp,tcp"
      case .srt: "srt"
      case .tcp: "tcp"
      case .udp: "udp"
      }
    }
  }

  /// The address as the user wrote it.
  let url: String
  let scheme: Scheme

  /// The address that `path` holds; `nil` when it is the path of a file.
  ///
  /// - Throws: A ``MediaError`` of kind `usage` for a protocol that is not known.
  public init?(_ path: MediaPath) throws(MediaError) {
    url = path.text
    guard let colon = url.firstRange(of: "://") else { return nil }
    let name = url[..<colon.lowerBound].lowercased()
    guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber }) else { return nil }
    guard let scheme = Scheme(rawValue: name) else {
      let known = Scheme.allCases.map(\.rawValue).joined(separator: ", ")
      throw MediaError(.usage, .use, path.quoted, "the protocols are \(known)")
    }
    self.scheme = scheme
  }

  private var isPlaylist: Bool {
    [.http, .https].contains(scheme) && url.prefix { !"?#".contains($0) }.hasSuffix(".m3u8")
  }

  /// The demuxer that opens its connections by itself; `nil` where bytes come over one connection.
  var demuxer: String? {
    switch scheme {
    case .rtsp: "rtsp"
    case .rtp: "rtp"
    default: isPlaylist ? "hls" : nil
    }
  }

  /// The muxer that opens its connections by itself.
  var muxer: String? {
    switch scheme {
    case .rtsp: "rtsp"
    default: isPlaylist ? "hls" : nil
    }
  }

  /// The format that is usual for what is sent there.
  public var usualFormat: String {
    switch scheme {
    case .rtmp, .rtmps: "flv"
    default: muxer ?? "mpegts"
    }
  }

  /// Whether it can be waited for a source that connects; libav cannot do so over TLS without a certificate.
  public var canListen: Bool { [.http, .rtmp, .rtsp, .srt, .tcp].contains(scheme) }

  /// The one format that can be sent there; `nil` for any that can be written in one go.
  var onlyFormat: String? { scheme == .rtp ? "mpegts" : nil }

  /// How long the other side may keep what it has received before it hands it on, in milliseconds.
  ///
  /// libav does not say what latency SRT's two sides have agreed on: it is a second unless the address names a longer one.
  var latency: Int {
    guard scheme == .srt else { return 0 }
    let named = url.split { "?&".contains($0) }.compactMap { item -> Int? in
      let parts = item.split(separator: "=", maxSplits: 1)
      return parts.count == 2 && parts[0].hasSuffix("latency") ? Int(parts[1]) : nil
    }
    return max(1000, (named.max() ?? 0) / 1000)
  }

  /// What the protocols have to be told.
  func options(listens: Bool) -> MediaDictionary {
    var options = MediaDictionary()
    switch scheme {
    // Whole packets of a transport stream in one that no usual network cuts.
    case .udp where !url.contains("pkt_size="): options["pkt_size"] = "1316"
    case .rtsp where !listens: options["rtsp_flags"] = "prefer_tcp"
    // Seconds for what was not yet received at the end; without them it is lost.
    case .srt where !url.contains("linger="): options["linger"] = "5"
    default: break
    }
    guard listens else { return options }
    switch scheme {
    case .srt: options["mode"] = "listener"
    case .rtsp: options["rtsp_flags"] = "listen"
    default: options["listen"] = "1"
    }
    return options
  }
}

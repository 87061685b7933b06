// Owns the kinds of records: their names and their fixed journal message ids.
// It must not say what a kind's record holds. etc/catalog/lilium.catalog explains each id.

/// What a record reports.
public enum RecordKind: UInt8, CaseIterable, Sendable, Hashable {
  case decision, started, stopped, policyLoaded, policyRefused, modeChanged, loss, suppressed, coverageChanged
  case sensingChanged, trustLoaded, tamperingDenied

  /// The word under `kind`.
  public var name: String {
    switch self {
    case .decision: "decision"
    case .started: "started"
    case .stopped: "stopped"
    case .policyLoaded: "policy-loaded"
    case .policyRefused: "policy-refused"
    case .modeChanged: "mode-changed"
    case .loss: "loss"
    case .suppressed: "suppressed"
    case .coverageChanged: "coverage-changed"
    case .sensingChanged: "sensing-changed"
    case .trustLoaded: "trust-loaded"
    case .tamperingDenied: "tampering-denied"
    }
  }

  /// MESSAGE_ID: 128 bits as 32 lower-case hexadecimal digits (systemd.journal-fields(7)); never changed, never reused.
  public var messageID: String {
    switch self {
    case .decision: "c1a5d6d3fe8d4fd7817f31e7f59c46d7"
    case .started: "efb7dc681ed444a590290cc886baf42e"
    case .stopped: "72613d198c7c46088f77abeac3cb2e77"
    case .policyLoaded: "95a4b38e2fa045f5a61c1a80a47735de"
    case .policyRefused: "e22e7f59e758492c9175be1e6b8504d1"
    case .modeChanged: "93db3212ec60451dbef1b8cac4bcbe53"
    case .loss: "eb33e5a8feaf459198cf2b3f4dc115f6"
    case .suppressed: "d76922e603b94dfd9283629019760e0d"
    case .coverageChanged: "1d18522fac0044c2b36f50dd1cec83bf"
    case .sensingChanged: "29782096badf45f2ab8b4e11d8074ee1"
    case .trustLoaded: "93938ee2ab264f88ace197a22017827d"
    case .tamperingDenied: "72ffca14f6a043a5a980c0760744bb00"
    }
  }
}

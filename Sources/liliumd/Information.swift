// Owns one thread's information points, joined into one.
// It must not know any fact itself.

import AccessModel
import Integrity
import ObjectInformation
import SubjectInformation

final class Information: InformationPoint {
  private let object: ObjectInformation
  private let integrity: IntegrityInformation?
  private let subject: SubjectInformation

  init(object: ObjectInformation, integrity: IntegrityInformation?, subject: SubjectInformation) {
    self.object = object
    self.integrity = integrity
    self.subject = subject
  }

  func fetch(_ wanted: FactSet, into facts: Facts) {
    object.fetch(wanted, into: facts)
    // What it says rests on status and path.
    if let integrity {
      integrity.fetch(wanted, into: facts)
    } else {
      facts.markFailed(
        facts.missing(of: wanted.intersection([.objectDigest, .objectTrust])), because: .objectUnreadable)
    }
    subject.fetch(wanted, into: facts)
  }
}

// Owns one thread's information points, joined into one.
// It must not know any fact itself.

import AccessModel
import ObjectInformation
import SubjectInformation

final class Information: InformationPoint {
  private let object: ObjectInformation
  private let subject: SubjectInformation

  init(object: ObjectInformation, subject: SubjectInformation) {
    self.object = object
    self.subject = subject
  }

  func fetch(_ wanted: FactSet, into facts: Facts) {
    object.fetch(wanted, into: facts)
    subject.fetch(wanted, into: facts)
  }
}

// The way to libauparse, the oracle of AuditNetlinkTests.
#include <auparse.h>

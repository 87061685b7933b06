// The way to libaudit.
#include <libaudit.h>

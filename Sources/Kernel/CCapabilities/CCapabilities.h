// The way to libcap.
#include <sys/capability.h>

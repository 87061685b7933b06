// Owns which headers of libsystemd Swift sees: the service notifications (sd_notify(3)).
// The journal is not here: Kernel/Journal says why.
#ifndef LILIUM_CSYSTEMD_H
#define LILIUM_CSYSTEMD_H

#include <systemd/sd-daemon.h>

#endif

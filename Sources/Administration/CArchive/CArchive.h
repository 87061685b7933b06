/* Owns which of libarchive's headers Swift sees. Nothing else belongs here. */
#ifndef LILIUM_CARCHIVE_H
#define LILIUM_CARCHIVE_H
#include <archive.h>
#include <archive_entry.h>
#endif

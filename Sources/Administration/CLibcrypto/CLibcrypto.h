/* Owns which of libcrypto's headers Swift sees. Nothing else belongs here. */
#ifndef LILIUM_CLIBCRYPTO_H
#define LILIUM_CLIBCRYPTO_H
#include <openssl/sha.h>
#endif

// Owns the way from a test to the request numbers of the C headers. Tables: 0 ptrace, 1 ioctl, 2 ioctl of 32-bit
// programs. It must not be linked into a product.
#pragma once

#include <stdint.h>

int lilium_request_count(int table);
const char *lilium_request_name(int table, int index);
uint64_t lilium_request_number(int table, int index);

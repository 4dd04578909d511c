/* The first 8 bytes of a chunk as a word: the first byte lowest, zeroes after the chunk's end. What
 * is in this folder is pure: compiled into the BPF programs and into the unit tests. */
#ifndef EXA_BPF_LIB_SNIFF_WORD_H
#define EXA_BPF_LIB_SNIFF_WORD_H

#include "exa/abi/types.h"

#define EXA_TEXT4(a, b, c, d) ((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24)
#define EXA_TEXT8(a, b, c, d, e, f, g, h) (EXA_TEXT4(a, b, c, d) | EXA_TEXT4(e, f, g, h) << 32)
#define EXA_FIRST5 0xffffffffffull
#define EXA_FIRST6 0xffffffffffffull
#define EXA_FIRST7 0xffffffffffffffull

#endif

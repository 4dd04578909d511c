/* One mapping of a file in one process, as the iterator of bpf/mappings.bpf.c tells it: the file on
 * which a probe would really land, which behind an overlay is not the one that stat(2) shows. */
#ifndef EXA_ABI_MAPPING_H
#define EXA_ABI_MAPPING_H

#include "exa/abi/types.h"

#define EXA_MAPPING_PATH_BYTES 256

/* The name of the mapping by which a process publishes what it is (OpenTelemetry, OTEP 4719). Of
 * those, another iterator tells the start only, as __u64. */
#define EXA_PUBLISHED "OTEL_CTX"

enum exa_mapping_flags {
  EXA_MAPPING_PROGRAM = 1, /* holds the code that the process was started with */
};

struct exa_mapping {
  __u64 start;
  __u64 end;
  __u64 inode;
  __u64 size_bytes;
  __u64 mtime_ns;
  __u64 program_inode; /* of the executable, as an exec tells it; see exa_tls_file */
  __u32 device;        /* major << 20 | minor, as in exa_tls_file */
  __u32 program_device;
  __u32 flags;
  __u32 reserved;
  char file_system[16];              /* the name of its kind; cut, and then not terminated */
  char path[EXA_MAPPING_PATH_BYTES]; /* for display; only the last name where it is longer */
};
EXA_ASSERT_SIZE(struct exa_mapping, 64 + 16 + EXA_MAPPING_PATH_BYTES);

#endif

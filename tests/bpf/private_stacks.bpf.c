/* Tells of every loaded program whether the kernel runs it on a stack that it shares with the other
 * threads of its CPU: two numbers, its id and 1 or 0, read through the iterator's file. */
#include "bpf/lib/kernel_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpadded"
struct bpf_prog_aux {
  __u32 id;
  _Bool jits_use_priv_stack;
};
struct bpf_prog {
  struct bpf_prog_aux* aux;
};
struct bpf_iter__bpf_prog {
  struct bpf_iter_meta* meta;
  struct bpf_prog* prog;
};
#pragma clang diagnostic pop
#pragma clang attribute pop

SEC("iter/bpf_prog")
int tell_stacks(struct bpf_iter__bpf_prog* context) {
  struct bpf_prog* program = context->prog;
  __u64 told[2];

  if (!program || !bpf_core_field_exists(program->aux->jits_use_priv_stack)) return 0;
  told[0] = program->aux->id;
  told[1] = program->aux->jits_use_priv_stack;
  bpf_seq_write(context->meta->seq, told, sizeof(told));
  return 0;
}

/* Something with variables, as an unguarded program would be. */
SEC("uprobe")
int with_variables(struct pt_regs* regs) {
  volatile char variables[192];
  for (int i = 0; i < (int)sizeof(variables); ++i)
    variables[i] = (char)regs->sp;
  return variables[regs->ax & 127];
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

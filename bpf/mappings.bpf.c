/* Which files a process maps, told without touching a file or its file system: whoever reads
 * /proc/PID/maps learns the file that the process opened, and behind an overlay that says neither
 * where a probe would land nor who answers its reads.
 *
 * Iterators over the mappings of one process. They run under the lock of its memory in whoever
 * reads them, which may wait for that lock as long as the process pleases. Another iterator tells
 * for which processes it would. */
#include "bpf/lib/kernel_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "exa/abi/mapping.h"

enum { VM_EXEC = 0x4 };

static __always_inline __u64 exa_nanoseconds(__s64 seconds, __s64 nanoseconds) {
  return (__u64)seconds * 1000000000ull + (__u64)nanoseconds;
}

/* Its time of change has had three names. */
static __always_inline __u64 exa_mtime_ns(struct inode* inode) {
  struct inode___since_6_11* newest = (void*)inode;
  struct inode___since_6_7* newer = (void*)inode;
  struct inode___before_6_7* old = (void*)inode;

  if (bpf_core_field_exists(newest->i_mtime_sec))
    return exa_nanoseconds(BPF_CORE_READ(newest, i_mtime_sec), BPF_CORE_READ(newest, i_mtime_nsec));
  if (bpf_core_field_exists(newer->__i_mtime))
    return exa_nanoseconds(BPF_CORE_READ(newer, __i_mtime.tv_sec),
                           BPF_CORE_READ(newer, __i_mtime.tv_nsec));
  return exa_nanoseconds(BPF_CORE_READ(old, i_mtime.tv_sec), BPF_CORE_READ(old, i_mtime.tv_nsec));
}

static __always_inline int exa_tell(struct bpf_iter__task_vma* context, int only_code) {
  struct exa_mapping mapping = {};
  struct vm_area_struct* vma = context->vma;
  struct task_struct* task = context->task;
  struct inode* program;
  struct inode* inode;
  struct file* file;
  __u64 code;

  if (!vma || !task) return 0;
  if (only_code && !(vma->vm_flags & VM_EXEC)) return 0;
  file = vma->vm_file;
  if (!file) return 0;
  inode = BPF_CORE_READ(file, f_inode);
  mapping.start = vma->vm_start;
  mapping.end = vma->vm_end;
  mapping.inode = BPF_CORE_READ(inode, i_ino);
  mapping.size_bytes = (__u64)BPF_CORE_READ(inode, i_size);
  mapping.mtime_ns = exa_mtime_ns(inode);
  mapping.device = BPF_CORE_READ(inode, i_sb, s_dev);
  bpf_probe_read_kernel(mapping.file_system, sizeof(mapping.file_system),
                        BPF_CORE_READ(inode, i_sb, s_type, name));
  program = BPF_CORE_READ(task, mm, exe_file, f_inode);
  if (program) {
    mapping.program_inode = BPF_CORE_READ(program, i_ino);
    mapping.program_device = BPF_CORE_READ(program, i_sb, s_dev);
  }
  code = BPF_CORE_READ(task, mm, start_code);
  if (mapping.start <= code && code < mapping.end) mapping.flags |= EXA_MAPPING_PROGRAM;
  if (bpf_d_path(&file->f_path, mapping.path, sizeof(mapping.path)) < 0)
    bpf_probe_read_kernel_str(mapping.path, sizeof(mapping.path),
                              BPF_CORE_READ(file, f_path.dentry, d_name.name));
  bpf_seq_write(context->meta->seq, &mapping, sizeof(mapping));
  return 0;
}

/* Mapped files that hold code. */
SEC("iter/task_vma")
int exa_mapped_code(struct bpf_iter__task_vma* context) {
  return exa_tell(context, 1);
}

/* Every mapped file. */
SEC("iter/task_vma")
int exa_mapped_all(struct bpf_iter__task_vma* context) {
  return exa_tell(context, 0);
}

static __always_inline int exa_begins_with(const char* text, const char* begin, int bytes) {
#pragma clang loop unroll(full)
  for (int i = 0; i < bytes; ++i)
    if (text[i] != begin[i]) return 0;
  return 1;
}

/* Where a process publishes what it is for readers outside (exa/abi/mapping.h): the mapping is of a
 * memfd with that name, or of anonymous memory that was given it. */
SEC("iter/task_vma")
int exa_published(struct bpf_iter__task_vma* context) {
  struct vm_area_struct* vma = context->vma;
  const struct vm_area_struct___named* named = (void*)vma;
  char name[16] = {};
  __u64 start;

  if (!vma) return 0;
  if (vma->vm_file) {
    bpf_probe_read_kernel_str(name, sizeof(name),
                              BPF_CORE_READ(vma, vm_file, f_path.dentry, d_name.name));
    if (!exa_begins_with(name, "memfd:" EXA_PUBLISHED, sizeof("memfd:" EXA_PUBLISHED))) return 0;
  } else {
    if (!bpf_core_field_exists(named->anon_name) || !BPF_CORE_READ(named, anon_name)) return 0;
    bpf_probe_read_kernel_str(name, sizeof(name), &BPF_CORE_READ(named, anon_name)->name);
    if (!exa_begins_with(name, EXA_PUBLISHED, sizeof(EXA_PUBLISHED))) return 0;
  }
  start = vma->vm_start;
  bpf_seq_write(context->meta->seq, &start, sizeof(start));
  return 0;
}

/* The process, in the PID namespace of whoever reads this, if the lock of its memory is taken at
 * the moment, be it for reading. Takes no lock. */
SEC("iter/task")
int exa_locked_memory(struct bpf_iter__task* context) {
  struct task_struct* reader = (struct task_struct*)bpf_get_current_task();
  struct task_struct* task = context->task;
  struct upid number = {};
  const struct pid* pid;
  struct mm_struct* mm;
  __u32 level;
  __u32 tgid;

  if (!task) return 0;
  mm = task->mm;
  if (!mm || !bpf_core_field_exists(mm->mmap_lock.count)) return 0;
  if (!BPF_CORE_READ(mm, mmap_lock.count.counter)) return 0;
  level = BPF_CORE_READ(reader, thread_pid, level);
  pid = BPF_CORE_READ(task, group_leader, thread_pid);
  bpf_probe_read_kernel(&number, sizeof(number),
                        (const void*)pid->numbers + level * sizeof(number));
  tgid = (__u32)number.nr;
  bpf_seq_write(context->meta->seq, &tgid, sizeof(tgid));
  return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

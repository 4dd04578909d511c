/* The few kernel types that the programs read, with only the fields they read. Field offsets are
 * relocated against the running kernel's BTF when the object is loaded (CO-RE), so no build needs
 * the host's BTF. Also the fixed-width names and the bpf(2) constants that libbpf's headers want.
 */
#ifndef EXA_BPF_LIB_KERNEL_TYPES_H
#define EXA_BPF_LIB_KERNEL_TYPES_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;

enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2 };
enum { BPF_F_NO_PREALLOC = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0, BPF_RB_CONS_POS = 2 };
enum { BPF_SK_STORAGE_GET_F_CREATE = 1, BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };
enum {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_PERCPU_ARRAY = 6,
  BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
  BPF_MAP_TYPE_LRU_HASH = 9,
  BPF_MAP_TYPE_SK_STORAGE = 24,
  BPF_MAP_TYPE_RINGBUF = 27,
  BPF_MAP_TYPE_TASK_STORAGE = 29,
};

/* uapi constants of sockets and errors: the same on x86-64 and arm64. */
enum { AF_INET = 2, AF_INET6 = 10, IPPROTO_UDP = 17, IPPROTO_MPTCP = 262, EXA_HTTP3_PORT = 443 };
enum {
  MSG_OOB = 0x1,
  MSG_PEEK = 0x2,
  MSG_TRUNC = 0x20,
  MSG_DONTWAIT = 0x40,
  MSG_ERRQUEUE = 0x2000,
  MSG_SOCK_DEVMEM = 0x2000000,
};
enum { EAGAIN = 11, EEXIST = 17, ENOSYS = 38, ERESTARTSYS = 512 };
enum {
  TCP_ESTABLISHED = 1,
  TCP_SYN_SENT = 2,
  TCP_FIN_WAIT1 = 4,
  TCP_CLOSE = 7,
  TCP_CLOSE_WAIT = 8,
  TCP_LAST_ACK = 9,
  TCP_LISTEN = 10,
};

/* Kernel-internal bits, unchanged since they appeared. */
enum { RCV_SHUTDOWN = 1, SHUTDOWN_MASK = 3, SOCK_DEAD = 0, SOCK_DONE = 1 };
enum {
  PF_IO_WORKER = 0x10,
  PF_FORKNOEXEC = 0x40,
  PF_USER_WORKER = 0x4000,
  PF_KTHREAD = 0x200000,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpadded"

struct ns_common {
  unsigned int inum;
};
struct net {
  struct ns_common ns;
};
typedef struct {
  struct net* net;
} possible_net_t;
struct in6_addr {
  union {
    __u8 u6_addr8[16];
  } in6_u;
};
struct sock_common {
  __be32 skc_daddr;
  __be32 skc_rcv_saddr;
  __be16 skc_dport;
  __u16 skc_num;
  unsigned short skc_family;
  volatile unsigned char skc_state;
  possible_net_t skc_net;
  struct in6_addr skc_v6_daddr;
  struct in6_addr skc_v6_rcv_saddr;
  unsigned long skc_flags;
};
struct file;
struct socket {
  struct file* file;
};
struct sock {
  struct sock_common __sk_common;
  struct socket* sk_socket;
  int sk_err;
  unsigned char sk_shutdown;
  __u16 sk_protocol;
};
struct tcp_sock {
  __u32 copied_seq;
  __u32 write_seq;
  __u32 snd_nxt;
  __u32 rcv_nxt;
  __u32 snd_una;
  __u64 bytes_received; /* also what waits to be read */
  __u64 bytes_acked;
  __u32 chrono_start;
  __u32 chrono_stat[3];
  __u32 total_retrans;
  __u32 rcv_ooopack;
  __u32 srtt_us;         /* in eighths of a microsecond */
  __u64 tcp_clock_cache; /* CLOCK_MONOTONIC of the segment in work; Linux 6.9 and newer */
};

struct sk_buff {
  unsigned char* data; /* while TCP looks at it, its header */
};
struct qstr {
  const unsigned char* name;
};
struct dentry {
  struct qstr d_name;
};
struct path {
  struct dentry* dentry;
};
struct file_system_type {
  const char* name;
};
struct super_block {
  __u32 s_dev;
  struct file_system_type* s_type;
};
struct inode {
  unsigned short i_mode;
  struct super_block* i_sb;
  unsigned long i_ino;
  __s64 i_size;
};
struct timespec64 {
  __s64 tv_sec;
  long tv_nsec;
};
struct inode___before_6_7 {
  struct timespec64 i_mtime;
};
struct inode___since_6_7 {
  struct timespec64 __i_mtime;
};
struct inode___since_6_11 {
  __s64 i_mtime_sec;
  __u32 i_mtime_nsec;
};
struct file {
  struct path f_path;
  struct inode* f_inode;
  struct hlist_head* f_ep; /* the sets of epolls that it is in */
};
/* On kernels for real time it has other fields. */
struct rw_semaphore {
  struct {
    long counter;
  } count;
};
struct mm_struct {
  struct file* exe_file;
  unsigned long start_code;
  struct rw_semaphore mmap_lock;
};
struct vm_area_struct {
  unsigned long vm_start;
  unsigned long vm_end;
  unsigned long vm_flags;
  struct file* vm_file;
};
struct anon_vma_name {
  char name[0];
};
struct vm_area_struct___named { /* CONFIG_ANON_VMA_NAME, since 5.17 */
  struct anon_vma_name* anon_name;
};
typedef struct {
  int counter;
} atomic_t;
struct signal_struct {
  atomic_t live;
};
struct thread_info {
  unsigned long flags;
  __u32 status;
};
struct pid_namespace {
  struct ns_common ns;
};
struct upid {
  int nr;
  struct pid_namespace* ns;
};
struct pid {
  unsigned int level;
  struct upid numbers[1];
};
struct sched_entity {
  __u64 exec_start;
  __u64 sum_exec_runtime;
};
struct sched_info {
  unsigned long long run_delay;
};
struct cfs_bandwidth {
  __s64 hierarchical_quota; /* the least of its own and those above it */
  int nr_throttled;
  __u64 throttled_time;
};
struct cgroup_subsys_state {
  int id;
};
struct task_group {
  struct cgroup_subsys_state css;
  struct task_group* parent;
  struct cfs_bandwidth cfs_bandwidth;
};
struct fdtable {
  unsigned int max_fds;
  struct file** fd;
};
struct files_struct {
  struct fdtable* fdt;
};

struct task_struct {
  struct thread_info thread_info;
  unsigned int __state;
  /* Fewer bytes since Linux 7; only loads of unsigned fields are adjusted. */
  unsigned int on_cpu;
  unsigned int in_iowait : 1;
  struct files_struct* files;
  unsigned int flags;
  struct sched_entity se;
  struct sched_info sched_info;
  struct task_group* sched_task_group;
  unsigned long nvcsw;
  unsigned long min_flt;
  unsigned long maj_flt;
  struct mm_struct* mm;
  int pid;
  int tgid;
  struct task_struct* real_parent;
  struct task_struct* group_leader;
  __u64 start_boottime;
  __u64 self_exec_id;
  char comm[16];
  struct signal_struct* signal;
  struct pid* thread_pid;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
  unsigned long r14;
  unsigned long bx;
  unsigned long cx;
  unsigned long sp;
  unsigned long r10;
  unsigned long r9;
  unsigned long r8;
  unsigned long ax;
  unsigned long dx;
  unsigned long si;
  unsigned long di;
  unsigned long orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
  __u64 regs[31];
};
struct pt_regs {
  __u64 regs[31];
  __u64 sp;
  __u64 orig_x0;
  __s32 syscallno;
};
#endif

struct seq_file;
struct bpf_iter_meta {
  struct seq_file* seq;
};
struct bpf_iter__task {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
};
struct bpf_iter__task_vma {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
  struct vm_area_struct* vma;
};

struct bpf_iter__bpf_map_elem {
  void* meta;
  void* map;
  void* key;
  void* value;
};

struct bpf_iter__bpf_sk_storage_map {
  void* meta;
  void* map;
  struct sock* sk;
  void* value;
};

#pragma clang diagnostic pop
#pragma clang attribute pop

#endif

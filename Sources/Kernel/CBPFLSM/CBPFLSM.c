// libbpf(3) for Swift. The object, its links and its ring buffer belong to one struct lil_programs.
#include "CBPFLSM.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The layout has no padding that nobody named: what liliumd writes is what the kernel's programs read. */
_Static_assert(sizeof(struct lil_step) == 24, "lil_step");
_Static_assert(sizeof(struct lil_door) == 16, "lil_door");
_Static_assert(sizeof(struct lil_policy) == 8 + 16 * LIL_MECHANISMS + 24 * LIL_STEPS, "lil_policy");
_Static_assert(sizeof(struct lil_facts) == 8 + 8 * LIL_FIELDS, "lil_facts");
_Static_assert(sizeof(struct lil_outcome) == 8, "lil_outcome");
_Static_assert(sizeof(struct lil_ward) == 16 * LIL_KEPT + 4 * (LIL_WARDS + LIL_KIN + LIL_WRITERS), "lil_ward");

enum { MOST_PROGRAMS = 64, LOG_SIZE = 8192 };

struct lil_programs {
  struct bpf_object *object;
  struct bpf_program *programs[MOST_PROGRAMS];
  struct bpf_link *links[MOST_PROGRAMS];
  size_t count;
  struct ring_buffer *ring;
  void (*each)(const struct lil_event *event, void *context);
  void *context;
  int taken, most;
};

static _Thread_local char log_text[LOG_SIZE];
static _Thread_local size_t log_length;

/* Keeps the end of what is said: the verifier gives its reason last. */
static int keep_log(enum libbpf_print_level level, const char *format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, again);
  va_end(again);
  char *text = length < 0 ? NULL : malloc((size_t)length + 1);
  if (!text) return 0;
  vsnprintf(text, (size_t)length + 1, format, arguments);
  size_t size = (size_t)length, room = LOG_SIZE - 1;
  const char *end = text;
  if (size > room) {
    end += size - room;
    size = room;
  }
  if (log_length + size > room) {
    size_t dropped = log_length + size - room;
    memmove(log_text, log_text + dropped, log_length - dropped);
    log_length -= dropped;
  }
  memcpy(log_text + log_length, end, size);
  log_length += size;
  log_text[log_length] = 0;
  free(text);
  return 0;
}

const char *lil_log(void) { return log_text; }

static void begin_log(void) {
  log_length = 0;
  log_text[0] = 0;
}

static void use_own_log(void) { libbpf_set_print(keep_log); }

static void prepare(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, use_own_log);
  begin_log();
}

struct lil_programs *lil_programs_open(const void *object, size_t size) {
  prepare();
  struct lil_programs *opened = calloc(1, sizeof(*opened));
  if (!opened) return NULL;
  LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "lilium");
  opened->object = bpf_object__open_mem(object, size, &options);
  if (!opened->object) {
    int error = errno;
    free(opened);
    errno = error;
    return NULL;
  }
  struct bpf_program *program;
  bpf_object__for_each_program(program, opened->object) {
    if (opened->count < MOST_PROGRAMS) opened->programs[opened->count++] = program;
  }
  return opened;
}

void lil_programs_close(struct lil_programs *programs) {
  if (!programs) return;
  ring_buffer__free(programs->ring);
  for (size_t i = 0; i < programs->count; i++) bpf_link__destroy(programs->links[i]);
  bpf_object__close(programs->object);
  free(programs);
}

const char *lil_programs_name(struct lil_programs *programs, size_t index) {
  return index < programs->count ? bpf_program__name(programs->programs[index]) : NULL;
}

const char *lil_programs_hook(struct lil_programs *programs, size_t index) {
  if (index >= programs->count) return NULL;
  const char *section = bpf_program__section_name(programs->programs[index]);
  return strncmp(section, "lsm/", 4) == 0 ? section + 4 : NULL;
}

static int find(struct lil_programs *programs, const char *name) {
  for (size_t i = 0; i < programs->count; i++)
    if (strcmp(bpf_program__name(programs->programs[i]), name) == 0) return (int)i;
  return -ENOENT;
}

int lil_programs_choose(struct lil_programs *programs, const char *name, int is_wanted) {
  int index = find(programs, name);
  if (index < 0) return index;
  return bpf_program__set_autoload(programs->programs[index], is_wanted != 0);
}

static int set_constants(struct bpf_object *object, const struct lil_constants *constants) {
  struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata");
  size_t size = 0;
  void *place = map ? (void *)bpf_map__initial_value(map, &size) : NULL;
  if (!place) return -ENOENT;
  const struct btf *types = bpf_object__btf(object);
  const struct { const char *name; uint32_t value; } values[] = {
    {"lilium_pid", constants->pid},
    {"initial_mount_namespace", constants->initial_mount_namespace},
    {"reads_text", constants->reads_text},
    {"scope_count", constants->scope_count},
  };
  int section = btf__find_by_name_kind(types, ".rodata", BTF_KIND_DATASEC);
  if (section < 0) return -ENOENT;
  const struct btf_type *all = btf__type_by_id(types, (uint32_t)section);
  const struct btf_var_secinfo *places = btf_var_secinfos(all);
  size_t set = 0;
  for (uint16_t i = 0; i < btf_vlen(all); i++) {
    const struct btf_type *variable = btf__type_by_id(types, places[i].type);
    const char *name = btf__name_by_offset(types, variable->name_off);
    for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
      if (strcmp(name, values[j].name) != 0 || places[i].offset + places[i].size > size) continue;
      if (places[i].size != sizeof(uint32_t)) return -EINVAL;
      memcpy((char *)place + places[i].offset, &values[j].value, sizeof(uint32_t));
      set++;
    }
  }
  return set == sizeof(values) / sizeof(values[0]) ? 0 : -ENOENT;
}

static int on_event(void *context, void *data, size_t size) {
  struct lil_programs *programs = context;
  if (size >= sizeof(struct lil_event)) programs->each(data, programs->context);
  /* The event is taken all the same; who writes without end must not keep the reader for ever. */
  return ++programs->taken < programs->most ? 0 : -EAGAIN;
}

int lil_programs_load(struct lil_programs *programs, const struct lil_constants *constants) {
  prepare();
  int error = set_constants(programs->object, constants);
  if (error) return error;
  error = bpf_object__load(programs->object);
  if (error) return error;
  int events = bpf_object__find_map_fd_by_name(programs->object, "events");
  if (events < 0) return events;
  programs->ring = ring_buffer__new(events, on_event, programs, NULL);
  return programs->ring ? 0 : -errno;
}

int lil_programs_attach(struct lil_programs *programs, const char *name) {
  int index = find(programs, name);
  if (index < 0) return index;
  if (programs->links[index]) return 0;
  prepare();
  programs->links[index] = bpf_program__attach(programs->programs[index]);
  return programs->links[index] ? 0 : -errno;
}

int lil_programs_detach(struct lil_programs *programs, const char *name) {
  int index = find(programs, name);
  if (index < 0) return index;
  struct bpf_link *link = programs->links[index];
  programs->links[index] = NULL;
  return bpf_link__destroy(link);
}

int lil_programs_is_attached(struct lil_programs *programs, const char *name) {
  int index = find(programs, name);
  return index < 0 ? index : programs->links[index] != NULL;
}

/* A new inner map each time: the outer one's slot is swapped in one step, and the kernel waits for who still reads the
   old one (kernel/bpf/map_in_map.c). */
int lil_programs_replace(struct lil_programs *programs, const struct lil_policy *policy) {
  prepare();
  int outer = bpf_object__find_map_fd_by_name(programs->object, "policies");
  if (outer < 0) return outer;
  int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "lilium_policy", sizeof(uint32_t), sizeof(*policy), 1, NULL);
  if (inner < 0) return -errno;
  uint32_t first = 0;
  int error = bpf_map_update_elem(inner, &first, policy, BPF_ANY);
  /* From here on nobody writes it, whoever gets hold of it. */
  if (!error) error = bpf_map_freeze(inner);
  if (!error) error = bpf_map_update_elem(outer, &first, &inner, BPF_ANY);
  if (error) error = -errno;
  close(inner);
  return error;
}

int lil_programs_limit(struct lil_programs *programs, uint32_t index, int group) {
  int map = bpf_object__find_map_fd_by_name(programs->object, "scope");
  if (map < 0) return map;
  return bpf_map_update_elem(map, &index, &group, BPF_ANY) ? -errno : 0;
}

int lil_programs_tally(struct lil_programs *programs, struct lil_tally *sum) {
  int map = bpf_object__find_map_fd_by_name(programs->object, "tally");
  int processors = libbpf_num_possible_cpus();
  if (map < 0 || processors < 0) return map < 0 ? map : processors;
  struct lil_tally *each = calloc((size_t)processors, sizeof(*each));
  if (!each) return -ENOMEM;
  uint32_t first = 0;
  int error = bpf_map_lookup_elem(map, &first, each) ? -errno : 0;
  memset(sum, 0, sizeof(*sum));
  for (int i = 0; !error && i < processors; i++) {
    const uint64_t *from = (const uint64_t *)&each[i];
    uint64_t *to = (uint64_t *)sum;
    for (size_t j = 0; j < sizeof(*sum) / sizeof(uint64_t); j++) to[j] += from[j];
  }
  free(each);
  return error;
}

static int update(struct lil_programs *programs, const char *name, const void *key, const void *value) {
  int map = bpf_object__find_map_fd_by_name(programs->object, name);
  if (map < 0) return map;
  return bpf_map_update_elem(map, key, value, BPF_ANY) ? -errno : 0;
}

int lil_programs_protect(struct lil_programs *programs, const struct lil_ward *ward) {
  uint32_t first = 0;
  return update(programs, "lilium_ward", &first, ward);
}

int lil_programs_keep_map(struct lil_programs *programs, uint32_t id) {
  return update(programs, "lilium_maps", &id, &id);
}

int lil_programs_drop_map(struct lil_programs *programs, uint32_t id) {
  int map = bpf_object__find_map_fd_by_name(programs->object, "lilium_maps");
  if (map < 0) return map;
  return bpf_map_delete_elem(map, &id) ? -errno : 0;
}

int lil_programs_maps(struct lil_programs *programs, uint32_t *ids, size_t room) {
  size_t count = 0;
  struct bpf_map *map;
  bpf_object__for_each_map(map, programs->object) {
    struct bpf_map_info info = {};
    uint32_t size = sizeof(info);
    /* One that was not made. */
    if (bpf_map__fd(map) < 0) continue;
    if (bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &size)) return -errno;
    if (count < room) ids[count++] = info.id;
  }
  return (int)count;
}

int lil_programs_consume(
  struct lil_programs *programs, int most, void (*each)(const struct lil_event *event, void *context), void *context) {
  programs->each = each;
  programs->context = context;
  programs->taken = 0;
  programs->most = most;
  int result = ring_buffer__consume(programs->ring);
  return result < 0 && result != -EAGAIN ? result : programs->taken;
}

int lil_programs_ask(struct lil_programs *programs, struct lil_question *question) {
  int index = find(programs, "question");
  if (index < 0) return index;
  LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = question, .ctx_size_in = sizeof(*question));
  if (bpf_prog_test_run_opts(bpf_program__fd(programs->programs[index]), &options)) return -errno;
  return (int)options.retval;
}

int lil_kernel_has_hook(const char *name) {
  prepare();
  static struct btf *kernel;
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  char symbol[64];
  if (snprintf(symbol, sizeof(symbol), "bpf_lsm_%s", name) >= (int)sizeof(symbol)) return -ENAMETOOLONG;
  pthread_mutex_lock(&lock);
  if (!kernel) kernel = btf__load_vmlinux_btf();
  int found = kernel ? btf__find_by_name_kind(kernel, symbol, BTF_KIND_FUNC) : -errno;
  pthread_mutex_unlock(&lock);
  if (!kernel) return found;
  return found > 0;
}

/* The same number is in bpf/probe.bpf.h. */
enum { PROBE_NICE = 13 };

/* The child calls nothing that takes a lock: the parent has threads. */
int lil_probe_child(void) {
  pid_t child = fork();
  if (child < 0) return -errno;
  if (child == 0) _exit(setpriority(PRIO_PROCESS, 0, PROBE_NICE) == 0 ? 0 : errno == EPERM ? 1 : 2);
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -errno;
  if (!WIFEXITED(status)) return -ECHILD;
  return WEXITSTATUS(status) == 2 ? -EIO : WEXITSTATUS(status);
}

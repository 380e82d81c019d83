/*
 * Making seccomp filters with libseccomp, and setting them up with a bare
 * system call: that may happen between fork() and exec().
 */
#include "config.h"

#include "walls/walls_priv.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME_MAX_LEN 32

struct filter_maker {
	scmp_filter_ctx ctx;
	int error;                /* the first; negative errno */
};

static uint32_t action(enum filter_action a)
{
	switch (a) {
	case FILTER_ALLOW:
		return SCMP_ACT_ALLOW;
	case FILTER_REFUSE:
		return SCMP_ACT_ERRNO(EPERM);
	case FILTER_UNKNOWN:
		return SCMP_ACT_ERRNO(ENOSYS);
	case FILTER_KILL:
		return SCMP_ACT_KILL_PROCESS;
	}
	return SCMP_ACT_KILL_PROCESS;
}

static void note(struct filter_maker *m, int result)
{
	if (result < 0 && !m->error)
		m->error = result;
}

struct filter_maker *filter_begin(enum filter_action by_default,
				  enum filter_action foreign)
{
	struct filter_maker *m = xcalloc(1, sizeof *m);

	m->ctx = seccomp_init(action(by_default));
	CHECK(m->ctx);
	note(m, seccomp_attr_set(m->ctx, SCMP_FLTATR_ACT_BADARCH,
				 action(foreign)));
	/* A tree instead of a list: some ten steps for each call. */
	note(m, seccomp_attr_set(m->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2));
	return m;
}

static void add_rule(struct filter_maker *m, enum filter_action a,
		     const char *name, unsigned n, struct scmp_arg_cmp *cmp)
{
	int nr = seccomp_syscall_resolve_name(name);
	int r;

	/* Negative: not of this architecture, or not known. */
	if (nr < 0)
		return;
	r = seccomp_rule_add_exact_array(m->ctx, action(a), nr, n, cmp);
	/* EACCES: the same as the default. */
	if (r != -EACCES)
		note(m, r);
}

void filter_calls(struct filter_maker *m, enum filter_action a,
		  const char *names)
{
	char name[NAME_MAX_LEN];

	while (*names) {
		size_t n = strcspn(names, " ");

		CHECK(n > 0 && n < sizeof name);
		memcpy(name, names, n);
		name[n] = '\0';
		add_rule(m, a, name, 0, NULL);
		names += n;
		names += strspn(names, " ");
	}
}

void filter_masked(struct filter_maker *m, enum filter_action a,
		   const char *name, unsigned arg, uint64_t mask,
		   uint64_t value)
{
	struct scmp_arg_cmp cmp = { arg, SCMP_CMP_MASKED_EQ, mask, value };

	add_rule(m, a, name, 1, &cmp);
}

void filter_masked2(struct filter_maker *m, enum filter_action a,
		    const char *name, const unsigned arg[static 2],
		    const uint64_t mask[static 2],
		    const uint64_t value[static 2])
{
	struct scmp_arg_cmp cmp[2] = {
		{ arg[0], SCMP_CMP_MASKED_EQ, mask[0], value[0] },
		{ arg[1], SCMP_CMP_MASKED_EQ, mask[1], value[1] },
	};

	add_rule(m, a, name, 2, cmp);
}

/* The compiled program, out of libseccomp by way of a memory file. */
static int export(scmp_filter_ctx ctx, struct filter *out)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	struct stat st;
	int r = fd < 0 ? -errno : seccomp_export_bpf(ctx, fd);

	if (r == 0 && fstat(fd, &st))
		r = -errno;
	if (r == 0) {
		out->prog.len = (unsigned short)((size_t)st.st_size /
						 sizeof(struct sock_filter));
		out->prog.filter = xmalloc((size_t)st.st_size);
		if (pread(fd, out->prog.filter, (size_t)st.st_size, 0) !=
		    st.st_size)
			r = -EIO;
	}
	if (fd >= 0)
		close(fd);
	return r;
}

enum err filter_end(struct filter_maker *m, struct filter *out,
		    struct why *why)
{
	int r = m->error;

	memset(out, 0, sizeof *out);
	if (!r)
		r = export(m->ctx, out);
	seccomp_release(m->ctx);
	free(m);
	if (!r)
		return ERR_NONE;
	filter_clear(out);
	errno = -r;
	return why_errno(why, "cannot make a seccomp filter");
}

void filter_clear(struct filter *f)
{
	free(f->prog.filter);
	memset(f, 0, sizeof *f);
}

int wall_seccomp(const struct filter *f)
{
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0u,
			    &f->prog);
}

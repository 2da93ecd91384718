/**
 * Where the files of this process's control groups are, as version 1, 2 and both beside each other mount them. What they
 * say is read elsewhere.
 */
import { textOf } from './text-of.js';

/**
 * Folders of the group that this process is in and of all above it that can be seen, from the root down.
 * @param controller `cpu`, `memory`; version 2 has all of them in one folder
 * @param root of the file system
 */
export function groupFolders(controller: string, root = ''): string[] {
  const groups = (textOf(`${root}/proc/self/cgroup`) ?? '').split('\n').map((line) => {
    const [, controllers = '', ...path] = line.split(':');
    return { controllers: controllers.split(','), path: path.join(':') };
  });
  const mounts = mountsIn(textOf(`${root}/proc/self/mountinfo`) ?? '');
  return mounts.flatMap(({ at, of, type, options }) => {
    const isOwn = type === 'cgroup' && options.includes(controller);
    const group = groups.find(({ controllers }) =>
      type === 'cgroup2' ? controllers.join() === '' : isOwn && controllers.includes(controller),
    );
    if (group === undefined || group.path === '') return [];
    return above(pathBelow(group.path, of)).map((path) => `${root}${at}${path}`);
  });
}

/** proc_pid_mountinfo(5): ID parent major:minor root mount-point options … - type source super-options. */
function mountsIn(text: string) {
  return text.split('\n').flatMap((line) => {
    const [left, right] = line.split(' - ');
    const [, , , of, at] = left.split(' ');
    const [type, , options = ''] = right?.split(' ') ?? [];
    return type === 'cgroup' || type === 'cgroup2' ? [{ at, of, type, options: options.split(',') }] : [];
  });
}

/** A container may see its own group mounted as the root, while its path is told as the host sees it. */
function pathBelow(path: string, mounted: string): string {
  if (mounted === '/' || mounted.startsWith('/..')) return path.replace(/^(\/\.\.)+/, '');
  if (path === mounted) return '';
  return path.startsWith(`${mounted}/`) ? path.slice(mounted.length) : path;
}

/** `/a/b` → `/a/b`, `/a`, and the root. */
function above(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return Array.from({ length: parts.length + 1 }, (_, i) =>
    parts
      .slice(0, i)
      .map((part) => `/${part}`)
      .join(''),
  );
}

import type { Route } from './index.js';

/**
 * Where a file stands on GitHub. The names of wants are paths in the repository; `ref` is a branch, a tag or a commit.
 */
export function github(place: {
  owner: string;
  repository: string;
  ref: string;
  /** For a private repository: a token that may read it. It goes to `origin` alone. */
  token?: string;
  /** `https://media.githubusercontent.com` unless another host stands in for it. */
  origin?: string;
}): Route;

/** Where a file stands on GitLab. `project` is its number or its path. */
export function gitlab(place: {
  project: string | number;
  ref: string;
  /** For a private project: a token that may read it. It goes to `origin` alone. */
  token?: string;
  /** `https://gitlab.com` unless the forge stands elsewhere. */
  origin?: string;
}): Route;

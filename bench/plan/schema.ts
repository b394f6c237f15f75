/**
 * The gate of plans: a document (what a YAML file holds) becomes a checked and completed `Plan`, or a failure that names
 * file, key, value and what is allowed.
 *
 *     document --zod--> fields, each with its default --rules--> Plan
 *                       document-schema.ts              here, phase-rules.ts, sweep.ts
 */
import { type PlanDocument, planDocument } from './document-schema.ts';
import { issuesOf } from './field.ts';
import { type Origin, type PlanIssue, planFailure } from './issue.ts';
import { checkValues, phaseOf } from './phase-rules.ts';
import type { PhasePlan, Plan, Reference, SearchPlan } from './plan.ts';
import { axesOf, checkSweepPoints } from './sweep.ts';

/**
 * `origin` names where the document comes from, in messages.
 * @throws ConfigFailure about the first thing that is wrong; says how many more there are.
 */
export function buildPlan(document: unknown, origin: Origin): Plan {
  const issues: PlanIssue[] = [];
  const plan = completed(document, issues);
  if (plan !== null && issues.length === 0) checkSweepPoints(document, plan.sweep, pointIssue, issues);
  if (plan === null || issues.length > 0) throw planFailure(issues, origin);
  return plan;
}

function pointIssue(document: unknown): PlanIssue | null {
  const issues: PlanIssue[] = [];
  completed(document, issues);
  return issues[0] ?? null;
}

/** Null when not even the fields can be read. */
function completed(document: unknown, issues: PlanIssue[]): Plan | null {
  const parsed = planDocument.safeParse(document);
  if (!parsed.success) {
    issues.push(...issuesOf(parsed.error));
    return null;
  }
  const fields = parsed.data;
  const phases = fields.phases.map(([name, phase]) => phaseOf(name, phase, fields, issues));
  const plan: Plan = {
    name: fields.name ?? 'unnamed',
    description: fields.description,
    seed: fields.seed,
    tree: {
      root: fields.tree.root,
      keyCount: fields.tree.znodes,
      directories: fields.tree.directories,
      values: fields.tree.values,
    },
    connectionCount: fields.connections,
    outstanding: fields.outstanding,
    workerCount: fields.workers,
    sessionTimeoutMs: fields.sessionTimeout,
    connectTo: fields.connectTo,
    phases,
    probes: { periodMs: fields.probes.period, deadlineMs: fields.probes.deadline },
    sloMs: fields.slo ?? null,
    check: fields.check,
    references: fields.references.map((_, i) => referenceOf(fields, i, phases, issues)),
    sweep: axesOf(fields.sweep, issues),
    search: searchOf(fields, phases, issues),
  };
  checkTogether(plan, issues);
  return plan;
}

function checkTogether(plan: Plan, issues: PlanIssue[]): void {
  const { workerCount, connectionCount, tree, check } = plan;
  const limit = `at most one per connection (${connectionCount})`;
  if (workerCount > connectionCount)
    issues.push({ path: ['workers'], message: `${workerCount} - allowed: ${limit}` });
  if (tree.directories > tree.keyCount) {
    const message = `${tree.directories} - allowed: at most one per znode (${tree.keyCount})`;
    issues.push({ path: ['tree', 'directories'], message });
  }
  if (check) checkValues(tree.values, ['tree', 'values'], issues);
}

function referenceOf(
  fields: PlanDocument,
  i: number,
  phases: readonly PhasePlan[],
  issues: PlanIssue[],
): Reference {
  const { at, phase, servers, label, ...reference } = fields.references[i]!;
  const path = ['references', i];
  if (at !== undefined && fields.sweep.length === 0) {
    issues.push({ path: [...path, 'at'], message: `${at} - only with a sweep` });
  }
  return {
    ...reference,
    ...(servers === undefined
      ? { label }
      : { label: `${label}, ${servers} ${servers === 1 ? 'server' : 'servers'}`, servers, curve: label }),
    at: at ?? null,
    phase: phaseNamed(phase, phases, [...path, 'phase'], issues),
  };
}

function searchOf(
  fields: PlanDocument,
  phases: readonly PhasePlan[],
  issues: PlanIssue[],
): SearchPlan | null {
  const { search } = fields;
  if (search === null) return null;
  const phase = phaseNamed(search.phase, phases, ['search', 'phase'], issues);
  if (fields.sweep.length > 0)
    issues.push({ path: ['search'], message: 'together with sweep - allowed: one of them' });
  if (search.from >= search.to) {
    issues.push({
      path: ['search', 'from'],
      message: `${search.from} - allowed: less than to (${search.to})`,
    });
  }
  const load = phases.find(({ name }) => name === phase)?.load;
  if (load !== undefined && load.kind !== 'mix') {
    issues.push({ path: ['search', 'phase'], message: `"${phase}" - allowed: a phase with a mix` });
  }
  return { phase, p99MsMax: search.p99, from: search.from, to: search.to, replicates: search.replicates };
}

/** A phase named by another part of the plan; may be left out where there is only one. */
function phaseNamed(
  name: string | undefined,
  phases: readonly PhasePlan[],
  path: readonly (string | number)[],
  issues: PlanIssue[],
): string {
  const names = phases.map((phase) => phase.name);
  if (name === undefined && names.length === 1) return names[0]!;
  if (name === undefined) issues.push({ path, message: `missing - allowed: ${names.join(', ')}` });
  else if (!names.includes(name))
    issues.push({ path, message: `${JSON.stringify(name)} - allowed: ${names.join(', ')}` });
  return name ?? '';
}

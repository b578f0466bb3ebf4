//! What the public may count of people, so that no small group of them can be worked out.
//!
//! Everything that is told is a sum over the nodes of a tree, whose counts are each none or at least
//! the smallest that may be told. So whatever is subtracted from whatever, no smaller count comes out.
//! `docs/decisions/0006-what-the-public-may-count.md` says why.
use std::collections::{BTreeMap, BTreeSet};

/// A category of people, by its place in a list.
pub type Category = u16;

/// How many people of each category there are; none of them zero.
pub type Counts = BTreeMap<Category, u64>;

/// The people of one activity.
#[derive(Clone, Debug)]
pub struct Leaf<K> {
    /// What the activity belongs to, the widest first: its year, its project, and so on. The last
    /// tells it from every other, and all have as many.
    pub path: Vec<K>,
    /// How many people of each category there are.
    pub counts: Counts,
}

/// What may be known of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is that.
    Exactly(u64),
    /// It is that or more; nothing where that is zero: not even whether there is anybody.
    AtLeast(u64),
}

impl Told {
    /// The number that is told.
    #[must_use]
    pub fn number(self) -> u64 {
        match self {
            Self::Exactly(number) | Self::AtLeast(number) => number,
        }
    }
}

/// What may be known of some activities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// How many people there are.
    pub total: Told,
    /// How many there are of each group of categories, in the order of the groups.
    pub groups: Vec<Told>,
    /// How many of the total are in none of what is told of the groups: none or many.
    pub rest: u64,
}

/// The counts of one thing about people, by activity, as far as they may be told.
#[derive(Debug)]
pub struct Protected {
    nodes: Vec<Node>,
    /// The last node that each activity is in.
    ends: Vec<Option<usize>>,
}

/// Activities whose people are told of together.
#[derive(Debug)]
struct Node {
    parent: Option<usize>,
    /// How many activities there are.
    leaves: usize,
    counts: Counts,
    /// The categories of which only the sum is told here, and further down.
    pool: BTreeSet<Category>,
}

/// How many there are of those categories, if that is told beside that pool.
fn told_of(counts: &Counts, pool: &BTreeSet<Category>, group: &BTreeSet<Category>) -> Option<u64> {
    let told = pool.is_disjoint(group) || pool.is_subset(group);
    told.then(|| group.iter().filter_map(|category| counts.get(category)).sum())
}

/// Adds counts to others.
fn add(to: &mut Counts, counts: &Counts) {
    for (category, count) in counts {
        *to.entry(*category).or_default() += count;
    }
}

impl Protected {
    /// The counts of those activities, of which none below the smallest is ever told. Activities
    /// without people are left out.
    #[must_use]
    pub fn new<K: Ord>(smallest: u64, leaves: &[Leaf<K>]) -> Self {
        let mut told: BTreeSet<usize> = (0..leaves.len()).collect();
        loop {
            let made = Self { nodes: Vec::new(), ends: vec![None; leaves.len()] };
            let mut making = Making { smallest, leaves, made, left_out: Vec::new() };
            making.make(told.iter().copied());
            if making.left_out.is_empty() {
                return making.made;
            }
            for leaf in making.left_out {
                told.remove(&leaf);
            }
        }
    }

    /// What may be known of those activities, each given once, by groups of categories.
    #[must_use]
    pub fn table(&self, of: &[usize], groups: &[BTreeSet<Category>]) -> Table {
        let (covered, whole) = self.covered(of);
        let told = |number, exact: bool| match exact {
            true => Told::Exactly(number),
            false => Told::AtLeast(number),
        };
        let mut alike: BTreeMap<&BTreeSet<Category>, Counts> = BTreeMap::new();
        for node in covered {
            let Node { pool, counts, .. } = &self.nodes[node];
            add(alike.entry(pool).or_default(), counts);
        }
        let total: u64 = alike.values().flat_map(BTreeMap::values).sum();
        let mut rest = total;
        let groups = groups.iter().map(|group| {
            let counts = || alike.iter().map(|(pool, counts)| told_of(counts, pool, group));
            let known: u64 = counts().flatten().sum();
            rest = rest.saturating_sub(known);
            told(known, whole && counts().all(|count| count.is_some()))
        });
        let groups = groups.collect();
        Table { total: told(total, whole), groups, rest }
    }

    /// The widest nodes all of whose activities are among those, and whether they are all of those.
    fn covered(&self, of: &[usize]) -> (Vec<usize>, bool) {
        let mut matched: BTreeMap<usize, usize> = BTreeMap::new();
        let mut whole = true;
        for leaf in of {
            match self.ends[*leaf] {
                Some(end) => *matched.entry(end).or_default() += 1,
                None => whole = false,
            }
        }
        // Every node comes after its parent.
        let mut sums: BTreeMap<usize, usize> = BTreeMap::new();
        while let Some((node, found)) = matched.pop_last() {
            sums.insert(node, found);
            if let Some(parent) = self.nodes[node].parent {
                *matched.entry(parent).or_default() += found;
            }
        }
        let ends: BTreeSet<usize> = of.iter().filter_map(|leaf| self.ends[*leaf]).collect();
        let (mut covered, mut within) = (Vec::new(), BTreeSet::new());
        for (node, found) in sums {
            if self.nodes[node].parent.is_some_and(|parent| within.contains(&parent)) {
                within.insert(node);
            } else if found == self.nodes[node].leaves {
                covered.push(node);
                within.insert(node);
            } else if ends.contains(&node) {
                whole = false;
            }
        }
        (covered, whole)
    }
}

/// Activities that are told of together, before they are a node.
#[derive(Default)]
struct Part {
    leaves: Vec<usize>,
    counts: Counts,
    /// Whether they are together only since some are too small to be told of alone.
    mixed: bool,
}

impl Part {
    fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    fn of(&self, categories: &BTreeSet<Category>) -> u64 {
        categories.iter().filter_map(|category| self.counts.get(category)).sum()
    }

    fn add(&mut self, other: &Self) {
        self.leaves.extend(&other.leaves);
        add(&mut self.counts, &other.counts);
    }
}

/// A part that is to become a node.
struct Open {
    parent: Option<usize>,
    part: Part,
    pool: BTreeSet<Category>,
    depth: usize,
}

/// A tree that is being made.
struct Making<'a, K> {
    smallest: u64,
    leaves: &'a [Leaf<K>],
    made: Protected,
    /// The activities that are not told of at all: with them, others could not be told apart.
    left_out: Vec<usize>,
}

impl<K: Ord> Making<'_, K> {
    fn make(&mut self, leaves: impl IntoIterator<Item = usize>) {
        let part = self.together(leaves);
        if part.total() == 0 || self.is_small(part.total()) {
            return;
        }
        let pool = self.root_pool(&part.counts);
        // Where there are no more people than categories, who knows that none of them is empty knows
        // each.
        if !pool.is_empty() && part.of(&pool) < self.enough(pool.len()) {
            return;
        }
        let mut open = vec![Open { parent: None, part, pool, depth: 0 }];
        while let Some(next) = open.pop() {
            open.extend(self.add(next));
        }
    }

    fn together(&self, leaves: impl IntoIterator<Item = usize>) -> Part {
        let mut part = Part::default();
        for leaf in leaves {
            let counts = self.leaves[leaf].counts.clone();
            part.add(&Part { leaves: vec![leaf], counts, mixed: false });
        }
        part
    }

    /// What is small, and could be worked out if the others were told.
    fn is_small(&self, count: u64) -> bool {
        0 < count && count < self.smallest
    }

    /// So many together that it cannot be worked out that each is one, even by who knows that there
    /// is somebody in each.
    fn enough(&self, members: usize) -> u64 {
        self.smallest.max(members as u64 + 1)
    }

    /// The categories of which only the sum is told anywhere.
    fn root_pool(&self, counts: &Counts) -> BTreeSet<Category> {
        let small = counts.iter().filter(|(_, count)| self.is_small(**count));
        let mut pool: BTreeSet<Category> = small.map(|(category, _)| *category).collect();
        let sum = |pool: &BTreeSet<Category>| -> u64 { pool.iter().map(|one| counts[one]).sum() };
        while !pool.is_empty() && sum(&pool) < self.enough(pool.len()) {
            let Some(next) = smallest_beside(counts, &pool) else { break };
            pool.insert(next);
        }
        pool
    }

    fn push(&mut self, open: &Open) -> usize {
        self.made.nodes.push(Node {
            parent: open.parent,
            leaves: open.part.leaves.len(),
            counts: open.part.counts.clone(),
            pool: open.pool.clone(),
        });
        self.made.nodes.len() - 1
    }

    /// Adds a node, and gives the parts that it is split into.
    fn add(&mut self, open: Open) -> Vec<Open> {
        let id = self.push(&open);
        let (parts, depth) = self.parts(&open.part, open.depth);
        if parts.len() < 2 {
            for leaf in open.part.leaves {
                self.made.ends[leaf] = Some(id);
            }
            return Vec::new();
        }
        let below = |parent: usize, pool: &BTreeSet<Category>| {
            let pool = pool.clone();
            move |part| Open { parent: Some(parent), part, pool: pool.clone(), depth }
        };
        let (mut apart, mut bad): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| self.is_good(part, &open.pool));
        if bad.is_empty() {
            return apart.into_iter().map(below(id, &open.pool)).collect();
        }
        // What cannot be told of alone is told of together, if that leaves something to tell apart.
        let mut mixed = sum_of(&bad);
        while !self.is_good(&mixed, &open.pool) {
            let Some(at) = smallest_part(&apart) else { break };
            bad.push(apart.swap_remove(at));
            mixed = sum_of(&bad);
        }
        let pool = self.wider_pool(&mixed, &bad, &open.pool);
        if apart.is_empty() {
            return bad.into_iter().map(below(id, &pool)).collect();
        }
        let mixed = Open { parent: Some(id), part: mixed, pool: open.pool.clone(), depth };
        let mixed = self.push(&mixed);
        let bad = bad.into_iter().map(below(mixed, &pool));
        apart.into_iter().map(below(id, &open.pool)).chain(bad).collect()
    }

    /// Whether all that would be told of it, beside that pool, may be told.
    fn is_good(&self, part: &Part, pool: &BTreeSet<Category>) -> bool {
        let mut apart = part.counts.iter().filter(|(category, _)| !pool.contains(category));
        apart.all(|(_, count)| !self.is_small(*count)) && !self.is_small(part.of(pool))
    }

    /// The pool with which each of those parts may be told of.
    fn wider_pool(
        &self,
        all: &Part,
        parts: &[Part],
        pool: &BTreeSet<Category>,
    ) -> BTreeSet<Category> {
        let mut pool = pool.clone();
        for part in parts {
            let small = part.counts.iter().filter(|(_, count)| self.is_small(**count));
            pool.extend(small.map(|(category, _)| *category));
        }
        while parts.iter().any(|part| self.is_small(part.of(&pool))) {
            let Some(next) = smallest_beside(&all.counts, &pool) else { break };
            pool.insert(next);
        }
        pool
    }

    /// Splits activities by the next step of their paths that tells them apart; those that are small
    /// stay together, with as many others as it takes. Where that would be all the others, they are
    /// left out instead.
    fn parts(&mut self, part: &Part, depth: usize) -> (Vec<Part>, usize) {
        let deepest = self.leaves.first().map_or(0, |leaf| leaf.path.len());
        if part.mixed {
            return (Vec::new(), deepest);
        }
        for depth in depth..deepest {
            let mut found: BTreeMap<&K, Vec<usize>> = BTreeMap::new();
            for leaf in &part.leaves {
                found.entry(&self.leaves[*leaf].path[depth]).or_default().push(*leaf);
            }
            if found.len() < 2 {
                continue;
            }
            let parts = found.into_values().map(|leaves| self.together(leaves));
            let (mut apart, mut small): (Vec<_>, Vec<_>) =
                parts.partition(|part: &Part| part.total() >= self.smallest);
            let alone = sum_of(&small).leaves;
            let some_apart = !apart.is_empty();
            let few = |parts: &[Part]| {
                let together = sum_of(parts);
                together.total() < self.enough(together.leaves.len())
            };
            while !small.is_empty() && few(&small) {
                let Some(at) = smallest_part(&apart) else { break };
                small.push(apart.swap_remove(at));
            }
            if apart.is_empty() && (some_apart || few(&small)) {
                self.left_out.extend(alone);
            }
            if !small.is_empty() {
                apart.push(Part { mixed: true, ..sum_of(&small) });
            }
            return (apart, depth + 1);
        }
        (Vec::new(), deepest)
    }
}

fn sum_of(parts: &[Part]) -> Part {
    let mut sum = Part::default();
    for part in parts {
        sum.add(part);
    }
    sum
}

fn smallest_part(parts: &[Part]) -> Option<usize> {
    let totals = parts.iter().map(|part| (part.total(), part.leaves.first()));
    totals.enumerate().min_by_key(|(_, total)| *total).map(|(at, _)| at)
}

fn smallest_beside(counts: &Counts, pool: &BTreeSet<Category>) -> Option<Category> {
    let beside = counts.iter().filter(|(category, _)| !pool.contains(category));
    beside.min_by_key(|(category, count)| (**count, **category)).map(|(category, _)| *category)
}

#[cfg(test)]
mod tests {
    use microlp::{
        ComparisonOp, LinearExpr, OptimizationDirection, Problem, SolveOutcome, Variable,
    };
    use proptest::prelude::*;

    use super::*;

    fn leaf(path: &[u8], counts: &[(Category, u64)]) -> Leaf<u8> {
        Leaf { path: path.to_vec(), counts: counts.iter().copied().collect() }
    }

    fn group(categories: &[Category]) -> BTreeSet<Category> {
        categories.iter().copied().collect()
    }

    #[test]
    fn where_every_group_is_large_everything_is_told() {
        let leaves = [leaf(&[21, 1], &[(0, 9), (1, 8)]), leaf(&[22, 2], &[(0, 7), (1, 6)])];
        let protected = Protected::new(5, &leaves);
        let groups = [group(&[0]), group(&[1])];
        let table = protected.table(&[0], &groups);
        assert_eq!(table.total, Told::Exactly(17));
        assert_eq!(table.groups, [Told::Exactly(9), Told::Exactly(8)]);
        let table = protected.table(&[0, 1], &groups);
        assert_eq!((table.groups, table.rest), (vec![Told::Exactly(16), Told::Exactly(14)], 0));
    }

    #[test]
    fn what_a_small_group_could_be_worked_out_from_is_not_told() {
        // Two women in the second year: their number follows from all women and those of the first.
        let leaves = [leaf(&[21, 1], &[(0, 9), (1, 8)]), leaf(&[22, 2], &[(0, 2), (1, 6)])];
        let protected = Protected::new(5, &leaves);
        let groups = [group(&[0]), group(&[1])];
        assert_eq!(
            protected.table(&[0, 1], &groups).groups,
            [Told::Exactly(11), Told::Exactly(14)]
        );
        for year in [0, 1] {
            let table = protected.table(&[year], &groups);
            assert_eq!(table.groups, [Told::AtLeast(0), Told::AtLeast(0)]);
            assert_eq!(table.rest, table.total.number());
        }
    }

    #[test]
    fn a_small_activity_beside_a_single_large_one_is_left_out_of_the_total() {
        let leaves = [leaf(&[21, 1], &[(0, 90)]), leaf(&[22, 2], &[(0, 2)])];
        let protected = Protected::new(5, &leaves);
        assert_eq!(protected.table(&[0], &[]).total, Told::Exactly(90));
        assert_eq!(protected.table(&[1], &[]).total, Told::AtLeast(0));
        assert_eq!(protected.table(&[0, 1], &[]).total, Told::AtLeast(90));
    }

    #[test]
    fn small_activities_are_told_of_together() {
        let few = |number| leaf(&[21, number], &[(0, 3)]);
        let protected = Protected::new(5, &[few(1), few(2), leaf(&[21, 3], &[(0, 30)])]);
        assert_eq!(protected.table(&[0, 1], &[]).total, Told::Exactly(6));
        assert_eq!(protected.table(&[0, 2], &[]).total, Told::AtLeast(30));
    }

    #[test]
    fn nothing_is_told_of_few_people() {
        let protected = Protected::new(5, &[leaf(&[21, 1], &[(0, 2), (1, 2)])]);
        let table = protected.table(&[0], &[group(&[0])]);
        assert_eq!((table.total, table.rest), (Told::AtLeast(0), 0));
        assert_eq!(Protected::new::<u8>(5, &[]).table(&[], &[]).total, Told::Exactly(0));
    }

    /// How many people of each pair of categories were at each activity.
    #[derive(Clone, Debug)]
    struct World {
        smallest: u64,
        paths: Vec<Vec<u8>>,
        cells: Vec<Vec<Vec<u64>>>,
    }

    fn worlds() -> impl Strategy<Value = World> {
        let count = prop_oneof![4 => Just(0), 4 => 1_u64..5, 2 => 5_u64..14];
        let shape = (2_usize..6, 2_usize..4, 2_usize..4, 2_u64..6);
        shape.prop_flat_map(move |(activities, first, second, smallest)| {
            let cells = prop::collection::vec(
                prop::collection::vec(prop::collection::vec(count.clone(), second), first),
                activities,
            );
            let paths = prop::collection::vec((0_u8..2, 0_u8..2), activities);
            (Just(smallest), paths, cells).prop_map(|(smallest, paths, cells)| {
                let paths = paths.into_iter().zip(0..);
                let paths = paths.map(|((year, project), id)| vec![year, project, id]).collect();
                World { smallest, paths, cells }
            })
        })
    }

    impl World {
        /// The people of each activity by their first or by their second category.
        fn leaves(&self, second: bool) -> Vec<Leaf<u8>> {
            let counts = |cells: &Vec<Vec<u64>>| {
                let mut counts = Counts::new();
                for (one, row) in (0..).zip(cells) {
                    for (other, count) in (0..).zip(row).filter(|(_, count)| **count > 0) {
                        *counts.entry(if second { other } else { one }).or_default() += count;
                    }
                }
                counts
            };
            let all = self.paths.iter().zip(&self.cells);
            all.map(|(path, cells)| Leaf { path: path.clone(), counts: counts(cells) }).collect()
        }

        fn held(mut self) -> Self {
            let any = |cells: &Vec<Vec<u64>>| cells.iter().flatten().sum::<u64>() > 0;
            let kept: Vec<bool> = self.cells.iter().map(any).collect();
            let mut at = kept.iter();
            self.paths.retain(|_| at.next() == Some(&true));
            let mut at = kept.iter();
            self.cells.retain(|_| at.next() == Some(&true));
            self
        }
    }

    /// The activities of each node.
    fn leaves_of(protected: &Protected) -> Vec<BTreeSet<usize>> {
        let mut of = vec![BTreeSet::new(); protected.nodes.len()];
        for (leaf, end) in protected.ends.iter().enumerate() {
            let mut node = *end;
            while let Some(at) = node {
                of[at].insert(leaf);
                node = protected.nodes[at].parent;
            }
        }
        of
    }

    /// An activity, a first and a second category.
    type Cell = (usize, usize, usize);

    /// Who tries to work out what is not told. They know the tree, and that there was somebody at each
    /// activity and of each category.
    struct Attacker<'a> {
        world: &'a World,
        told: Vec<(Vec<Cell>, f64)>,
    }

    impl<'a> Attacker<'a> {
        fn of(world: &'a World) -> Self {
            let mut told = Vec::new();
            for second in [false, true] {
                let leaves = world.leaves(second);
                let protected = Protected::new(world.smallest, &leaves);
                let categories: BTreeSet<Category> =
                    leaves.iter().flat_map(|leaf| leaf.counts.keys().copied()).collect();
                for (node, of) in protected.nodes.iter().zip(leaves_of(&protected)) {
                    assert_eq!(node.leaves, of.len());
                    let apart = categories.difference(&node.pool).map(|one| group(&[*one]));
                    for group in apart.chain([node.pool.clone()]) {
                        let count = told_of(&node.counts, &node.pool, &group).expect("it is told");
                        assert!(
                            count == 0 || count >= world.smallest,
                            "{count} is told: {world:?}"
                        );
                        let cells = world.cells_of(&of, |one, other| {
                            group.contains(&(if second { other } else { one }))
                        });
                        let truth: u64 =
                            cells.iter().map(|(a, b, c)| world.cells[*a][*b][*c]).sum();
                        assert_eq!(count, truth, "what is told is true");
                        told.push((cells, number(count)));
                    }
                }
            }
            Self { world, told }
        }

        /// The least or the most that those cells can be together.
        fn bound(&self, wanted: &[Cell], direction: OptimizationDirection) -> f64 {
            let mut problem = Problem::new(direction);
            let mut variables: BTreeMap<Cell, Variable> = BTreeMap::new();
            for cell in self.world.cells_of(&(0..self.world.cells.len()).collect(), |_, _| true) {
                let weight = if wanted.contains(&cell) { 1.0 } else { 0.0 };
                variables.insert(cell, problem.add_var(weight, (0.0, 500.0)));
            }
            let sum = |cells: &[Cell]| {
                let mut sum = LinearExpr::empty();
                for cell in cells {
                    sum.add(variables[cell], 1.0);
                }
                sum
            };
            for (cells, count) in self.told.iter().filter(|(cells, _)| !cells.is_empty()) {
                problem.add_constraint(sum(cells), ComparisonOp::Eq, *count);
            }
            let all: BTreeSet<usize> = (0..self.world.cells.len()).collect();
            let of_activities =
                all.iter().map(|one| self.world.cells_of(&BTreeSet::from([*one]), |_, _| true));
            let of_categories = (0..4).flat_map(|one| {
                let first = self.world.cells_of(&all, |first, _| first == one);
                [first, self.world.cells_of(&all, |_, second| second == one)]
            });
            let is_there =
                |cells: &[Cell]| cells.iter().any(|(a, b, c)| self.world.cells[*a][*b][*c] > 0);
            for cells in of_activities.chain(of_categories).filter(|cells| is_there(cells)) {
                problem.add_constraint(sum(&cells), ComparisonOp::Ge, 1.0);
            }
            match problem.solve().expect("the truth is a solution") {
                SolveOutcome::Solution(solution) => solution.objective(),
                SolveOutcome::Interrupted(_) => panic!("no limit was set"),
            }
        }

        /// Fails if a small number of people can be worked out to be just that.
        fn attack(&self, wanted: &[Cell]) -> Result<(), TestCaseError> {
            let truth: u64 = wanted.iter().map(|(a, b, c)| self.world.cells[*a][*b][*c]).sum();
            if truth == 0 || truth >= self.world.smallest {
                return Ok(());
            }
            let most = self.bound(wanted, OptimizationDirection::Maximize);
            let safe = most > number(truth) + 1e-6
                || self.bound(wanted, OptimizationDirection::Minimize) < number(truth) - 1e-6;
            prop_assert!(safe, "{wanted:?} are {truth}");
            Ok(())
        }
    }

    impl World {
        fn cells_of(
            &self,
            activities: &BTreeSet<usize>,
            fits: impl Fn(Category, Category) -> bool,
        ) -> Vec<Cell> {
            let mut found = Vec::new();
            for activity in activities {
                for (one, row) in self.cells[*activity].iter().enumerate() {
                    for other in 0..row.len() {
                        if fits(place(one), place(other)) {
                            found.push((*activity, one, other));
                        }
                    }
                }
            }
            found
        }
    }

    fn place(at: usize) -> Category {
        Category::try_from(at).expect("few categories")
    }

    fn number(count: u64) -> f64 {
        f64::from(u32::try_from(count).expect("few people"))
    }

    fn attacks() -> u32 {
        std::env::var("ATTACKS").ok().and_then(|told| told.parse().ok()).unwrap_or(96)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(attacks()) })]

        #[test]
        fn whoever_knows_all_that_is_told_works_out_no_small_number(world in worlds()) {
            let world = world.held();
            let attacker = Attacker::of(&world);
            let activities = world.cells.len();
            for chosen in 1_usize..1 << activities {
                let some: BTreeSet<usize> = (0..activities).filter(|at| chosen >> at & 1 == 1).collect();
                attacker.attack(&world.cells_of(&some, |_, _| true))?;
                for one in 0..3 {
                    attacker.attack(&world.cells_of(&some, |first, _| first == one))?;
                    attacker.attack(&world.cells_of(&some, |_, second| second == one))?;
                    for other in 0..3 {
                        attacker.attack(&world.cells_of(&some, |first, second| (first, second) == (one, other)))?;
                    }
                }
            }
        }

        #[test]
        fn what_is_told_is_true_and_adds_up(world in worlds()) {
            let world = world.held();
            let leaves = world.leaves(false);
            let protected = Protected::new(world.smallest, &leaves);
            let groups: Vec<_> = (0..3).map(|one| group(&[one])).collect();
            for chosen in 0_usize..1 << leaves.len() {
                let some: Vec<usize> = (0..leaves.len()).filter(|at| chosen >> at & 1 == 1).collect();
                let table = protected.table(&some, &groups);
                let of = |one: Category| some.iter().filter_map(|leaf| leaves[*leaf].counts.get(&one)).sum::<u64>();
                let all: u64 = (0..3).map(of).sum();
                let truths = [table.total].into_iter().chain(table.groups.iter().copied());
                for (told, truth) in truths.zip([all].into_iter().chain((0..3).map(of))) {
                    match told {
                        Told::Exactly(number) => prop_assert_eq!(number, truth),
                        Told::AtLeast(number) => prop_assert!(number <= truth),
                    }
                }
                let known: u64 = table.groups.iter().map(|told| told.number()).sum();
                prop_assert_eq!(known + table.rest, table.total.number());
                prop_assert!(table.rest == 0 || table.rest >= world.smallest, "{:?}", table);
            }
        }
    }
}

//! Which documents of a segment match a rule.

use fixedbitset::FixedBitSet;

use super::plan::Rule;
use super::unit::Asked;
use crate::guard::Stop;

/// Every document of the segment that matches `rule`.
pub(crate) fn matched(asked: &Asked<'_>, rule: &Rule) -> Result<FixedBitSet, Stop> {
    let mut bits = FixedBitSet::with_capacity(asked.index.len() as usize);
    // A set costs about as much as a posting for each of its words.
    asked.count(bits.as_slice().len());
    asked.check()?;
    match rule {
        Rule::Unit(_) | Rule::Any(_) => mark(asked, rule, &mut bits)?,
        Rule::Not(rule) => {
            bits = matched(asked, rule)?;
            bits.toggle_range(..);
        }
        Rule::All(rules) => {
            // The smallest first: where nothing is left, nothing more is read. What must not be there comes last.
            let mut order: Vec<&Rule> = rules.iter().collect();
            order.sort_by_key(|rule| cost(asked, rule));
            bits.toggle_range(..);
            for rule in order {
                match rule {
                    Rule::Not(rule) => bits.difference_with(&matched(asked, rule)?),
                    rule => bits.intersect_with(&matched(asked, rule)?),
                }
                if bits.is_clear() {
                    break;
                }
            }
        }
    }
    Ok(bits)
}

fn mark(asked: &Asked<'_>, rule: &Rule, bits: &mut FixedBitSet) -> Result<(), Stop> {
    match rule {
        Rule::Unit(unit) => asked.mark(&asked.plan.units[*unit], bits),
        Rule::Any(rules) => rules.iter().try_for_each(|rule| mark(asked, rule, bits)),
        Rule::All(_) | Rule::Not(_) => {
            bits.union_with(&matched(asked, rule)?);
            Ok(())
        }
    }
}

/// Whether a rule takes away, and about how many postings are read for it.
fn cost(asked: &Asked<'_>, rule: &Rule) -> (bool, usize) {
    match rule {
        Rule::Unit(unit) => (false, asked.plan.units[*unit].postings(asked.segment)),
        Rule::Any(rules) => (false, rules.iter().map(|rule| cost(asked, rule).1).sum()),
        Rule::All(rules) => (false, rules.iter().map(|rule| cost(asked, rule).1).min().unwrap_or(0)),
        Rule::Not(rule) => (true, cost(asked, rule).1),
    }
}

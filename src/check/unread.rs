//! Inputs that nothing reads: a defect of their stack.
